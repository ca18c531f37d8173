// SPDX-License-Identifier: MIT

/// Something is wrong with a lane: an effect, not a sign of one.
public struct Alarm: Sendable, Equatable {
  /// The raw values are the words of screens and of metrics.csv, which is read back by them.
  public enum Kind: String, Sendable, CaseIterable {
    /// A layer spikes far less than it did.
    case collapse
    /// More spikes deleted than created, beyond chance, at a pace that matters.
    case deleting
    /// All neurons of a layer, or nearly, are silent in a whole epoch.
    case silentLayer = "silent layer"
    /// The outputs of some classes have no gradient in trials of their own class.
    case muteOutputs = "mute outputs"
    /// A hidden layer's gradient comes from the end of the trial, most of its spikes do not.
    case lateGradient = "late gradient"
    /// Neurons that spike in nearly every step.
    case saturated
    /// The loss goes where the gradient says it would not.
    case opposed
    case vanishing
    case exploding
    case notANumber = "not a number"
  }

  /// A lane's alarms of one kind in epochs that follow each other share a record.
  public var kind: Kind
  /// The lane's name, as in files.
  public var lane: String
  /// One line: what was seen.
  public var text: String

  /// `lane` is the lane's name; `text` one line without the kind.
  public init(_ kind: Kind, lane: String, _ text: String) {
    self.kind = kind
    self.lane = lane
    self.text = text
  }
}

/// An alarm with the epochs in which it was so.
public struct AlarmRecord: Sendable, Equatable {
  /// With the text of its last epoch.
  public var alarm: Alarm
  /// First epoch in which it was so, from 1.
  public var first: Int
  /// Latest epoch in which it was so; the epoch just finished while it lasts.
  public var last: Int

  /// Epochs count from 1; the last one is included.
  public init(_ alarm: Alarm, first: Int, last: Int) {
    self.alarm = alarm
    self.first = first
    self.last = last
  }
}

extension [AlarmRecord] {
  /// The most that are kept.
  public static var limit: Int { 200 }

  /// Takes note of an epoch's alarms: those of a kind that go on are one.
  public mutating func note(_ alarms: [Alarm], epoch: Int) {
    for alarm in alarms {
      if let index = lastIndex(where: {
        $0.alarm.kind == alarm.kind && $0.alarm.lane == alarm.lane && $0.last >= epoch - 1
      }) {
        self[index].last = epoch
        self[index].alarm.text = alarm.text
      } else {
        append(AlarmRecord(alarm, first: epoch, last: epoch))
      }
    }
    if count > Self.limit { removeFirst(count - Self.limit) }
  }
}

/// What the alarms look at, once an epoch.
public struct EpochSigns: Sendable {
  /// One hidden layer over the epoch.
  public struct LayerSigns: Sendable {
    /// `hidden1`, ...
    public var name: String
    /// Neurons of the layer.
    public var size: Int
    /// Neurons without a spike.
    public var dead = 0
    /// Spikes per neuron and trial.
    public var rate = 0.0
    /// Neurons with a spike in nine of ten steps; 0 without steps.
    public var saturated = 0
    /// Shares of the gradient of the weights into it by tenth of the trial, and of its spikes;
    /// empty: not looked at.
    public var gradientByTenth: [Double] = []
    /// The layer's spikes on the probe as shares of their sum, 0...1 each; empty: not looked at.
    public var spikesByTenth: [Double] = []

    /// All counts 0 and both lists empty, until the epoch is known.
    public init(name: String, size: Int) {
      self.name = name
      self.size = size
    }
  }

  /// By the ledger, in the epoch's observed updates.
  public var created = 0
  /// Over the same updates as `created`.
  public var deleted = 0
  /// Sum of g . dw over the observed updates.
  public var predicted = 0.0
  /// Sum of L(w + dw) - L(w) over the observed updates.
  public var actual = 0.0
  /// Updates that the sums are over; 0 where nothing was observed.
  public var observed = 0
  /// Updates of the epoch, and spikes of the probe set: by them the ledger's sums are a pace.
  public var updates = 0
  /// Of the hidden layers, when the epoch has ended; 0: not counted.
  public var probeSpikes = 0
  /// Mean loss of training.
  public var loss = 0.0
  /// Hidden layers from the input on.
  public var layers: [LayerSigns] = []
  /// Per projection: name, and root mean square of |dL/dW| over the epoch's batches.
  public var norms: [(name: String, norm: Double)] = []
  /// Per class: name, trials, and those in which its output had no gradient.
  public var classes: [(name: String, trials: Int, mute: Int)] = []
  /// Trial length, ms.
  public var duration = 0.0

  /// Everything 0 or empty: what is not filled in raises no alarm.
  public init() {}
}

/// Watches one lane from epoch to epoch.
public struct AlarmWatch: Sendable {
  /// Epochs in a row before what chance may do for a while is an alarm.
  public static let patience = 3
  private var epochsDeleting = 0
  private var streak = (created: 0, deleted: 0)
  /// Spikes per trial of all hidden neurons in the epoch before the streak, and in the last one.
  private var rateBefore = 0.0
  private var lastRate = 0.0
  private var epochsOpposed = 0
  private var opposition = 0.0
  private var epochsMute = 0
  /// Per hidden layer: spikes per neuron and trial at the start, or since most if that was more.
  private var rates: [Double] = []
  /// Per projection: the largest norm of any epoch so far.
  private var largest: [Double] = []
  /// Kinds that were so in the last epoch: they end later than they begin.
  private var isLate = false

  /// For a lane at its start; one that is resumed takes `init(numbers:)`.
  public init() {}

  /// As a checkpoint keeps it.
  public var numbers: [Double] {
    [
      Double(epochsDeleting), Double(streak.created), Double(streak.deleted), Double(epochsOpposed),
      opposition, Double(epochsMute), isLate ? 1 : 0, rateBefore, lastRate, Double(rates.count),
    ] + rates + largest
  }

  /// nil when the numbers are not such as `numbers` gives.
  public init?(numbers: [Double]) {
    // Counts must be such; sizes may be anything that training came to, infinity included.
    guard numbers.count >= 10, numbers.allSatisfy({ $0 >= 0 }),
      [0, 1, 2, 3, 5, 9].allSatisfy({ numbers[$0] < 1e15 }),
      numbers.count >= 10 + Int(numbers[9])
    else { return nil }
    epochsDeleting = Int(numbers[0])
    streak = (Int(numbers[1]), Int(numbers[2]))
    epochsOpposed = Int(numbers[3])
    opposition = numbers[4]
    epochsMute = Int(numbers[5])
    isLate = numbers[6] > 0
    (rateBefore, lastRate) = (numbers[7], numbers[8])
    let layers = Int(numbers[9])
    rates = Array(numbers[10..<(10 + layers)])
    largest = Array(numbers[(10 + layers)...])
  }

  /// - Returns: what is wrong after an epoch; empty when all is well.
  public mutating func check(_ signs: EpochSigns, lane: String) -> [Alarm] {
    var alarms: [Alarm] = []
    func raise(_ kind: Alarm.Kind, _ text: String?) {
      if let text { alarms.append(Alarm(kind, lane: lane, text)) }
    }
    if !signs.loss.isFinite || signs.norms.contains(where: { !$0.norm.isFinite }) {
      raise(.notANumber, "the loss or a gradient is not a number")
    }
    raise(.silentLayer, silentLayer(signs))
    raise(.collapse, collapse(signs))
    raise(.muteOutputs, muteOutputs(signs))
    raise(.lateGradient, lateGradient(signs))
    raise(.deleting, deleting(signs))
    raise(.saturated, saturated(signs))
    raise(.opposed, opposed(signs))
    for (kind, text) in gradients(signs) { raise(kind, text) }
    return alarms
  }

  /// Three quarters of a layer: many presets do well with half of it dead from the first draw on.
  private func silentLayer(_ signs: EpochSigns) -> String? {
    guard let layer = signs.layers.first(where: { 4 * $0.dead >= 3 * $0.size && $0.size > 0 })
    else { return nil }
    return layer.dead == layer.size
      ? "\(layer.name) is silent: all \(layer.size) neurons"
      : "\(layer.dead) of \(layer.size) neurons of \(layer.name) had no spike in the epoch"
  }

  /// A quarter of what a layer's rate was.
  private mutating func collapse(_ signs: EpochSigns) -> String? {
    if rates.count != signs.layers.count { rates = signs.layers.map(\.rate) }
    var text: String?
    for (index, layer) in signs.layers.enumerated() {
      if layer.rate < 0.25 * rates[index], text == nil {
        let share = 100 * layer.rate / rates[index]
        text =
          "\(layer.name) spikes \(short(layer.rate)) times per neuron and trial, "
          + "\(short(share)) % of \(short(rates[index])) before"
      }
      rates[index] = max(rates[index], layer.rate)
    }
    return text
  }

  /// A fifth of a class's trials, two epochs in a row; half of them at once.
  private mutating func muteOutputs(_ signs: EpochSigns) -> String? {
    func share(_ one: (name: String, trials: Int, mute: Int)) -> Double {
      Double(one.mute) / Double(max(one.trials, 1))
    }
    let worst = signs.classes.max { share($0) < share($1) }
    guard let worst, share(worst) >= 0.2 else {
      epochsMute = 0
      return nil
    }
    epochsMute += 1
    guard epochsMute >= 2 || share(worst) >= 0.5 else { return nil }
    let more = signs.classes.count { share($0) >= 0.2 } - 1
    return
      "the output of \(worst.name) had no gradient in \(worst.mute) of \(worst.trials) of its trials"
      + (more > 0 ? ", and so \(more) more" : "")
  }

  /// Nine tenths of the gradient from the last three or four tenths of the trial, where less than
  /// half of the spikes are.
  private mutating func lateGradient(_ signs: EpochSigns) -> String? {
    let least = isLate ? 0.75 : 0.9
    for layer in signs.layers {
      guard
        let late = LateGradient.found(
          layer.gradientByTenth, layer.spikesByTenth, [(3, least), (4, least)])
      else { continue }
      isLate = true
      return
        "\(short(100 * late.gradient)) % of \(layer.name)'s gradient comes from the last "
        + "\(short(Double(late.tenths) / 10 * signs.duration)) ms, \(short(100 * late.spikes)) % of "
        + "its spikes do"
    }
    isLate = false
    return nil
  }

  /// Beyond chance, three standard deviations of as many coin flips, at a pace of a tenth of all
  /// spikes an epoch, and with the effect: a tenth fewer spikes than before.
  private mutating func deleting(_ signs: EpochSigns) -> String? {
    let rate = signs.layers.reduce(0) { $0 + $1.rate * Double($1.size) }
    defer { lastRate = rate }
    guard signs.deleted > signs.created else {
      epochsDeleting = 0
      streak = (0, 0)
      return nil
    }
    if epochsDeleting == 0 { rateBefore = lastRate > 0 ? lastRate : rate }
    epochsDeleting += 1
    streak = (streak.created + signs.created, streak.deleted + signs.deleted)
    let excess = Double(streak.deleted - streak.created)
    let chance = Double(streak.deleted + streak.created).squareRoot()
    let pace =
      Double(signs.deleted - signs.created) / Double(max(signs.observed, 1))
      * Double(signs.updates) / Double(max(signs.probeSpikes, 1))
    guard epochsDeleting >= Self.patience, excess > 3 * chance, pace >= 0.1,
      rate < 0.9 * rateBefore
    else { return nil }
    return
      "\(streak.deleted) spikes deleted against \(streak.created) created on the probe in "
      + "\(epochsDeleting) epochs, and \(short(100 * (1 - rate / rateBefore))) % fewer spikes than before"
  }

  private func saturated(_ signs: EpochSigns) -> String? {
    guard
      let layer = signs.layers.first(where: { 10 * $0.saturated >= $0.size && $0.saturated > 0 })
    else { return nil }
    return
      "\(layer.saturated) of \(layer.size) neurons of \(layer.name) spike in nearly every step"
  }

  /// Three epochs in a row, by a tenth of the loss in sum.
  private mutating func opposed(_ signs: EpochSigns) -> String? {
    guard signs.predicted < 0, signs.actual > 0, signs.actual.isFinite, signs.predicted.isFinite
    else {
      (epochsOpposed, opposition) = (0, 0)
      return nil
    }
    epochsOpposed += 1
    opposition += signs.actual - signs.predicted
    guard epochsOpposed >= Self.patience, signs.loss > 0, opposition > 0.1 * signs.loss else {
      return nil
    }
    return
      "in \(epochsOpposed) epochs the probe's loss rose where the gradient said it would fall, "
      + "by \(short(100 * opposition / signs.loss)) % of the loss"
  }

  private mutating func gradients(_ signs: EpochSigns) -> [(Alarm.Kind, String)] {
    var found: [(Alarm.Kind, String)] = []
    if largest.count != signs.norms.count { largest = signs.norms.map { _ in 0 } }
    for (index, entry) in signs.norms.enumerated() where entry.norm.isFinite {
      let peak = largest[index]
      if peak > 0 && entry.norm <= 1e-6 * peak {
        found.append(
          (.vanishing, "the gradient of \(entry.name) has vanished: \(short(entry.norm))"))
      } else if peak > 0 && entry.norm >= 1e3 * peak {
        found.append((.exploding, "the gradient of \(entry.name) explodes: \(short(entry.norm))"))
      }
      largest[index] = max(peak, entry.norm)
    }
    return found
  }

  /// Two or three digits.
  private func short(_ x: Double) -> String {
    let size = abs(x)
    if size >= 100 && size < 1e6 { return "\(Int(x.rounded()))" }
    if size >= 10 && size < 100 { return "\((10 * x).rounded() / 10)" }
    if (size >= 0.01 && size < 10) || size == 0 { return "\((100 * x).rounded() / 100)" }
    let text = "\(x)"
    guard let mark = text.firstIndex(of: "e") else { return String(text.prefix(7)) }
    return String(text[..<mark].prefix(4)) + text[mark...]
  }
}
