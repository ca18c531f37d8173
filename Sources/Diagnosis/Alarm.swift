/// Something is wrong with a lane.
public struct Alarm: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// More spikes deleted than created for several epochs.
    case deleting
    /// All neurons, or ever more of them, of a layer are silent in a whole epoch.
    case silentLayer = "silent layer"
    /// The loss goes where the gradient says it would not.
    case opposed
    case vanishing
    case exploding
    case notANumber = "not a number"
  }

  public var kind: Kind
  public var lane: String
  /// One line: what was seen.
  public var text: String

  public init(_ kind: Kind, lane: String, _ text: String) {
    self.kind = kind
    self.lane = lane
    self.text = text
  }
}

/// What the alarms look at, once an epoch.
public struct EpochSigns: Sendable {
  /// By the ledger, in the epoch's observed updates.
  public var created = 0
  public var deleted = 0
  public var predicted = 0.0
  public var actual = 0.0
  /// Mean loss of training.
  public var loss = 0.0
  /// Per hidden layer: size, and neurons without a spike in the epoch.
  public var layers: [(name: String, size: Int, dead: Int)] = []
  /// Per projection: name, and root mean square of |dL/dW| over the epoch's batches.
  public var norms: [(name: String, norm: Double)] = []

  public init() {}
}

/// Watches one lane from epoch to epoch.
public struct AlarmWatch: Sendable {
  /// Epochs in a row with more deletions than creations before the alarm; their sums must differ by more than chance,
  /// two standard deviations of as many coin flips.
  public static let patience = 3
  private var epochsDeleting = 0
  private var streak = (created: 0, deleted: 0)
  private var epochsOpposed = 0
  /// Per projection: the largest norm of any epoch so far.
  private var largest: [Double] = []

  public init() {}

  /// As a checkpoint keeps it.
  public var numbers: [Double] {
    [
      Double(epochsDeleting), Double(streak.created), Double(streak.deleted), Double(epochsOpposed),
    ] + largest
  }

  /// nil when the numbers are not such as `numbers` gives.
  public init?(numbers: [Double]) {
    guard numbers.count >= 4, numbers.prefix(4).allSatisfy({ $0 >= 0 && $0 < 1e15 }) else {
      return nil
    }
    epochsDeleting = Int(numbers[0])
    streak = (Int(numbers[1]), Int(numbers[2]))
    epochsOpposed = Int(numbers[3])
    largest = Array(numbers.dropFirst(4))
  }

  /// - Returns: what is wrong after an epoch; empty when all is well.
  public mutating func check(_ signs: EpochSigns, lane: String) -> [Alarm] {
    var alarms: [Alarm] = []
    func raise(_ kind: Alarm.Kind, _ text: String) {
      alarms.append(Alarm(kind, lane: lane, text))
    }
    if !signs.loss.isFinite || signs.norms.contains(where: { !$0.norm.isFinite }) {
      raise(.notANumber, "the loss or a gradient is not a number")
    }
    if signs.deleted > signs.created {
      epochsDeleting += 1
      streak = (streak.created + signs.created, streak.deleted + signs.deleted)
    } else {
      epochsDeleting = 0
      streak = (0, 0)
    }
    let excess = Double(streak.deleted - streak.created)
    let chance = Double(streak.deleted + streak.created).squareRoot()
    if epochsDeleting >= Self.patience && excess > 2 * chance {
      raise(
        .deleting,
        "\(epochsDeleting) epochs with more spikes deleted than created: "
          + "\(streak.deleted) against \(streak.created) on the probe"
      )
    }
    for layer in signs.layers where layer.dead > 0 {
      if layer.dead == layer.size {
        raise(.silentLayer, "\(layer.name) is silent: all \(layer.size) neurons")
      } else if 2 * layer.dead >= layer.size {
        raise(.silentLayer, "\(layer.dead) of \(layer.size) neurons of \(layer.name) are dead")
      }
    }
    epochsOpposed = signs.predicted * signs.actual < 0 ? epochsOpposed + 1 : 0
    if epochsOpposed >= Self.patience {
      raise(
        .opposed,
        "\(epochsOpposed) epochs in which the loss went against the gradient's prediction")
    }
    if largest.count != signs.norms.count { largest = signs.norms.map { _ in 0 } }
    for (index, entry) in signs.norms.enumerated() where entry.norm.isFinite {
      let peak = largest[index]
      if peak > 0 && entry.norm <= 1e-6 * peak {
        raise(.vanishing, "the gradient of \(entry.name) has vanished: \(short(entry.norm))")
      } else if peak > 0 && entry.norm >= 1e3 * peak {
        raise(.exploding, "the gradient of \(entry.name) explodes: \(short(entry.norm))")
      }
      largest[index] = max(peak, entry.norm)
    }
    return alarms
  }

  private func short(_ x: Double) -> String {
    let text = "\(x)"
    guard let mark = text.firstIndex(of: "e") else { return String(text.prefix(6)) }
    return String(text[..<mark].prefix(4)) + text[mark...]
  }
}
