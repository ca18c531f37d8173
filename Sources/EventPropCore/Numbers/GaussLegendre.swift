// SPDX-License-Identifier: MIT

/// Gauss-Legendre quadrature with eight nodes: exact for polynomials up to degree 15; with four,
/// up to degree 7, on short panels.
enum GaussLegendre {
  /// Nodes on (-1, 1) and their weights (Abramowitz & Stegun, table 25.4).
  static let nodes: [(x: Double, weight: Double)] = [
    (-0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    (-0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (-0.525_532_409_916_329_0, 0.313_706_645_877_887_3),
    (-0.183_434_642_495_649_8, 0.362_683_783_378_361_98),
    (0.183_434_642_495_649_8, 0.362_683_783_378_361_98),
    (0.525_532_409_916_329_0, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
  ]

  /// Four of them.
  static let few: [(x: Double, weight: Double)] = [
    (-0.861_136_311_594_052_6, 0.347_854_845_137_453_86),
    (-0.339_981_043_584_856_3, 0.652_145_154_862_546_1),
    (0.339_981_043_584_856_3, 0.652_145_154_862_546_1),
    (0.861_136_311_594_052_6, 0.347_854_845_137_453_86),
  ]

  /// Calls `body` with every node and weight of a panel rule on `[start, end]`; no panel is longer
  /// than `longest` or crosses one of the ascending `kinks`. Panels of a tenth of that have four
  /// nodes: an exponential that falls by e over twice `longest` is integrated to 1e-20 by them.
  @inline(__always)
  static func forEachNode(
    from start: Double, to end: Double, longest: Double, kinks: [Double],
    _ body: (_ time: Double, _ weight: Double) -> Void
  ) {
    var left = start
    var kink = kinks.partitioningIndex { $0 > start }
    while left < end {
      var right = end
      if kink < kinks.count, kinks[kink] < end {
        right = kinks[kink]
        kink += 1
      }
      let panels = max(1, Int(((right - left) / longest).rounded(.up)))
      let half = (right - left) / Double(panels) / 2
      for panel in 0..<panels {
        let middle = left + half * Double(2 * panel + 1)
        for node in half * 20 < longest ? few : nodes {
          body(middle + half * node.x, half * node.weight)
        }
      }
      left = right
    }
  }
}

extension Array {
  /// The first index whose element satisfies `belongs`, for an array partitioned by it.
  func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
