// SPDX-License-Identifier: MIT

import Experiments
import Training

/// What is asked of a past snapshot: computed anew from the weights of then.
public struct InspectionRequest: Sendable, Equatable {
  /// The snapshot's serial.
  public var serial: Int
  /// Where it was, in epochs.
  public var position: Double
  /// Its lanes of then.
  public var lanes: [KeptLane]
  /// The sample that it shows.
  public var probe: Int
  /// What the screen needs.
  public var detail: Detail

  /// - Parameter position: in epochs.
  public init(serial: Int, position: Double, lanes: [KeptLane], probe: Int, detail: Detail) {
    (self.serial, self.position, self.lanes) = (serial, position, lanes)
    (self.probe, self.detail) = (probe, detail)
  }
}

/// What a screen shows of a past snapshot and its numbers do not hold: computed anew from the
/// weights of then.
public struct Inspection: Sendable {
  /// The snapshot it belongs to.
  public var serial = 0
  /// What was asked for.
  public var detail = Detail.gradients
  /// Per lane.
  public var lanes: [LaneDetail] = []
}

extension Snapshot {
  /// A past snapshot with what was computed for it since.
  public mutating func fill(from inspection: Inspection?, for detail: Detail?) {
    guard let inspection, let detail, inspection.serial == serial, inspection.detail == detail
    else {
      return
    }
    for (index, found) in inspection.lanes.enumerated() where lanes.indices.contains(index) {
      lanes[index].take(found)
    }
  }

  /// Whether it must be asked for.
  public func lacks(_ detail: Detail) -> Bool {
    switch detail {
    case .gradients:
      lanes.contains { $0.gradientFlow == nil && !$0.isOffGrid && !$0.layers.isEmpty }
    case .ledger: lanes.contains { $0.margins.isEmpty && !$0.layers.isEmpty }
    case .silence: lanes.contains { $0.silence == nil && !$0.layers.isEmpty }
    case .weights: lanes.contains { $0.weights.isEmpty }
    case .trace(let layer, let neuron, let spike):
      lanes.contains { lane in
        guard let trace = lane.trace else { return !lane.layers.isEmpty }
        return trace.layer != layer || trace.neuron != neuron || trace.asked != spike
      }
    case .doctor(let target):
      lanes.contains { lane in
        lane.doctor.map { $0.asked != target || $0.position != position } ?? true
      }
    // These are of an update, which past weights alone do not hold.
    case .step, .slice: false
    }
  }
}

extension LaneSnapshot {
  /// Name, letter, and what the lane is trained on.
  mutating func identify(_ options: LaneOptions) {
    name = options.name
    identity = options.identity
    letter = Trainer.letter(options.identity)
    description = options.description
    past = options.past
  }

  /// A comparison stays where none was found.
  mutating func take(_ found: LaneDetail) {
    let known = detail
    detail = found
    guard found.comparison == nil else { return }
    (detail.comparison, detail.surrogate) = (known.comparison, known.surrogate)
    detail.comparedAt = known.comparedAt
  }
}
