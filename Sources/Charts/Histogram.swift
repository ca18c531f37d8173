// SPDX-License-Identifier: MIT

import Foundation

extension Surface {
  /// Bars side by side, all of one width in cells, the highest as high as the area.
  /// - Parameters:
  ///   - counts: by bin, from the left; 0 or more.
  ///   - isLogarithmic: heights are log(1 + count), for counts that span decades.
  ///   - ink: of a bin.
  /// - Returns: columns that the bars take; 0 when there are more bins than columns.
  @discardableResult
  public mutating func histogram(
    _ counts: [Int], isLogarithmic: Bool = false, in area: Area, ink: (Int) -> Ink
  ) -> Int {
    guard !counts.isEmpty, area.width >= counts.count else { return 0 }
    func height(_ count: Int) -> Double {
      isLogarithmic ? log(1 + Double(count)) : Double(count)
    }
    let barWidth = area.width / counts.count
    let highest = height(counts.max() ?? 0)
    guard highest > 0 else { return barWidth * counts.count }
    for (bin, count) in counts.enumerated() {
      let filled = height(count) / highest * Double(area.height)
      for row in 0..<area.height {
        let part = min(max(filled - Double(area.height - 1 - row), 0), 1)
        guard part > 0 else { continue }
        for x in bin * barWidth..<(bin + 1) * barWidth {
          bar(x: area.x + x, y: area.y + row, share: part, ink: ink(bin))
        }
      }
    }
    return barWidth * counts.count
  }
}
