// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore

/// Restarts that keep what was changed.
extension Trainer {
  /// Whether lanes, their settings or the order of batches are other than the preset's.
  package var hasOtherSettings: Bool {
    lanes.map(\.options.identity) != Array(preset.lanes.indices) || orderSeed != preset.seed
      || zip(lanes, preset.lanes).contains { !$0.options.hasSettings(of: $1) }
  }

  /// Gives the lanes of a fresh trainer of the same preset what these have: which there are,
  /// losses, shaping, rates, regularisation, order of batches. As commands, so that a log of them
  /// gives it again.
  package func giveSettings(to fresh: Trainer, _ apply: (any TrainingCommand) -> Void) {
    let present = Set(lanes.map(\.options.identity))
    func drop(_ identity: Int) {
      guard let index = fresh.lanes.firstIndex(where: { $0.options.identity == identity }) else {
        return
      }
      apply(Drop(lane: index))
    }
    var gone = preset.lanes.indices.filter { !present.contains($0) }
    // The last lane stays until there is another.
    let last = gone.count == preset.lanes.count ? gone.popLast() : nil
    for identity in gone { drop(identity) }
    for lane in lanes {
      let identity = lane.options.identity
      if preset.lanes.indices.contains(identity) {
        if let index = fresh.lanes.firstIndex(where: { $0.options.identity == identity }) {
          settings(lane.options, index, fresh, apply)
        }
      } else {
        apply(Fork(lane: 0, kind: lane.options.lossKind))
        settings(lane.options, fresh.lanes.count - 1, fresh, apply)
      }
    }
    if let last { drop(last) }
    if orderSeed != fresh.orderSeed { apply(SetOrderSeed(orderSeed)) }
  }

  private func settings(
    _ wanted: LaneOptions, _ index: Int, _ fresh: Trainer, _ apply: (any TrainingCommand) -> Void
  ) {
    var options: LaneOptions { fresh.lanes[index].options }
    if options.lossKind != wanted.lossKind {
      apply(SetLoss(lane: index, kind: wanted.lossKind))
    }
    if options.shaping.words != wanted.shaping.words {
      apply(SetShaping(lane: index, wanted.shaping))
    }
    if options.optimiser.rate != wanted.optimiser.rate {
      apply(SetRate(lane: index, wanted.optimiser.rate))
    }
    if options.lambdas != wanted.lambdas, let rate = wanted.hidden.compactMap(\.rate).first {
      apply(SetRegularisation(lane: index, upper: rate.lambdaUpper, lower: rate.lambdaLower))
    }
  }
}

extension LaneOptions {
  /// Strengths of rate regularisation per hidden layer, upwards and downwards.
  fileprivate var lambdas: [[Double]] {
    hidden.map { [$0.rate?.lambdaUpper ?? 0, $0.rate?.lambdaLower ?? 0] }
  }

  fileprivate func hasSettings(of other: LaneOptions) -> Bool {
    lossKind == other.lossKind && shaping.words == other.shaping.words
      && optimiser.rate == other.optimiser.rate && lambdas == other.lambdas
  }
}
