// SPDX-License-Identifier: MIT

import EventPropCore

extension Targets {
  /// Those of an array: samples x points x outputs, the points evenly over the trial, the first at
  /// 0 and the last at T; or samples x outputs, for constants.
  /// - Parameter outputs: how many there must be; nil: any number.
  /// - Throws: `FileError` for another shape or a value that is not finite.
  public convenience init(_ array: NumPyArray, outputs wanted: Int? = nil) throws {
    let shape = array.shape
    let outputs = shape.last ?? 0
    guard (2...3).contains(shape.count), array.count > 0, wanted == nil || outputs == wanted
    else {
      let count = wanted.map { "\($0)" } ?? "outputs"
      throw FileError(
        array.file,
        "has shape \(shape), allowed is samples x points x \(count), or samples x \(count)")
    }
    let points = shape.count == 3 ? shape[1] : 1
    let values = try array.doubles()
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw FileError(
        array.file, "sample \(bad / (points * outputs)): \(values[bad]), allowed are finite numbers"
      )
    }
    var series = Array(repeating: 0.0, count: values.count)
    for sample in 0..<shape[0] {
      for point in 0..<points {
        for j in 0..<outputs {
          series[(sample * outputs + j) * points + point] =
            values[(sample * points + point) * outputs + j]
        }
      }
    }
    self.init(outputs: outputs, points: points, values: series)
  }
}
