// SPDX-License-Identifier: MIT

import EventPropCore

/// How validation samples are taken out of the training samples.
public enum ValidationSplit: Sendable, Equatable {
  case none
  /// This many samples, drawn at random.
  case random(Int)
  /// All samples of these speakers.
  case speakers([Int])

  /// - Throws: `FileError` when it would leave nothing to train on, or a speaker is not there.
  public func apply(to data: SpikeDataSet, seed: Int) throws -> (
    train: SpikeDataSet, validate: SpikeDataSet
  ) {
    switch self {
    case .none:
      return (data, data.selecting([]))
    case .random(let count):
      guard count < data.count else {
        throw FileError(
          data.name,
          "data.validate = \(count) of \(data.count) training samples leaves none to train")
      }
      var random = Random(seed: seed, "validation split")
      let order = Array(0..<data.count).shuffled(using: &random)
      return (
        data.selecting(order.dropFirst(count).sorted()),
        data.selecting(order.prefix(count).sorted())
      )
    case .speakers(let left):
      let known = Set(data.speakers)
      if let missing = left.first(where: { !known.contains($0) }) {
        let list = known.sorted().map(String.init).joined(separator: ", ")
        throw FileError(
          data.name,
          "data.validate_speakers: no training sample of speaker \(missing); "
            + (list.isEmpty ? "these data name no speakers" : "there are \(list)"))
      }
      let isLeft = Set(left)
      let inside = data.labels.indices.filter { !isLeft.contains(data.speakers[$0]) }
      guard !inside.isEmpty else {
        throw FileError(data.name, "data.validate_speakers takes all samples: none left to train")
      }
      return (
        data.selecting(inside),
        data.selecting(data.labels.indices.filter { isLeft.contains(data.speakers[$0]) })
      )
    }
  }
}

extension SpikeDataSet {
  /// The first `count` samples (all for nil), class by class as they come.
  /// - Throws: `FileError` when there are fewer.
  public func taking(_ count: Int?, key: String) throws -> SpikeDataSet {
    guard let count, count != self.count else { return self }
    guard count <= self.count else {
      throw FileError(name, "\(key) = \(count), but the file has \(self.count) samples")
    }
    return selecting(Array(0..<count))
  }
}
