// SPDX-License-Identifier: MIT

/// Whether a layer's gradient comes from the end of the trial, where most of its spikes are not.
enum LateGradient {
  /// Of so many tenths at the end, what share of the gradient is enough.
  typealias Limit = (tenths: Int, least: Double)

  /// The first limit that is met where less than half of the spikes are; nil: none is, or there is
  /// no gradient.
  /// - Parameters:
  ///   - gradient: norms by tenth of the trial.
  ///   - spikes: shares by tenth of the trial.
  /// - Returns: shares 0...1 of gradient and spikes in those tenths.
  static func found(_ gradient: [Double], _ spikes: [Double], _ limits: [Limit]) -> (
    tenths: Int, gradient: Double, spikes: Double
  )? {
    let all = gradient.reduce(0, +)
    guard gradient.count == 10, all > 0 else { return nil }
    for limit in limits {
      let late = gradient.suffix(limit.tenths).reduce(0, +)
      let spikes = spikes.suffix(limit.tenths).reduce(0, +)
      if late >= limit.least * all && spikes < 0.5 { return (limit.tenths, late / all, spikes) }
    }
    return nil
  }
}
