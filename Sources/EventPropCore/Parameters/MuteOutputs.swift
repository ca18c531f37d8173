// SPDX-License-Identifier: MIT

/// What happens to output neurons that are mute (`SolvedTrial.isLabelMute`) in trials of their own
/// class: they have no gradient there and cannot come back by themselves. After each batch, as in
/// the code of the first EventProp paper (Wunderlich & Pehle 2021), a constant is added to all
/// incoming weights of those that were mute too often.
public struct MuteOutputs: Sendable, Equatable {
  /// Added to each incoming weight.
  public var lift: Double
  /// Share of a class's trials in a batch, 0...1, above which its output is lifted.
  public var share: Double

  /// `lift` in the unit of weights, `share` in 0...1; not checked.
  public init(lift: Double, share: Double) {
    self.lift = lift
    self.share = share
  }

  /// - Parameters:
  ///   - mute: per class, the batch's trials in which its output was mute.
  ///   - trials: per class, all of its trials in the batch.
  public func apply<Scalar>(mute: [Int], of trials: [Int], in weights: Parameters<Scalar>) {
    let matrix = weights.matrices[weights.matrices.count - 1]
    for j in mute.indices where Double(mute[j]) > share * Double(trials[j]) {
      for row in 0..<matrix.rows { matrix[row, j] += Scalar(lift) }
    }
  }
}
