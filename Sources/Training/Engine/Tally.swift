import EventPropCore

/// Sums over trials: what metrics are made of. Kept per shard, added up in order.
struct Tally: Equatable {
  var trials = 0
  /// Sum of the losses of `lossTrials` trials: all, or those since the lane's loss was changed.
  var loss = 0.0
  var lossTrials = 0
  var correct = 0
  /// Trials in which the label's output was silent (phantom spikes injected).
  var phantoms = 0
  /// Per class: trials, and those in which the label's output was mute (without any gradient).
  var ofClass: [Int]
  var mute: [Int]
  /// Per hidden layer and neuron: spikes.
  var spikes: [[Int]]
  /// Per hidden layer: trials in which a neuron was silent, summed over neurons.
  var silent: [Int]
  /// Why a forward pass was given up.
  var failure: String?

  init(_ network: Network) {
    let hidden = network.layers.dropLast()
    spikes = hidden.map { Array(repeating: 0, count: $0.size) }
    silent = Array(repeating: 0, count: hidden.count)
    ofClass = Array(repeating: 0, count: network.output.size)
    mute = ofClass
  }

  mutating func clear() {
    trials = 0
    forgetLoss()
    correct = 0
    phantoms = 0
    failure = nil
    for label in mute.indices {
      ofClass[label] = 0
      mute[label] = 0
    }
    for layer in spikes.indices {
      for neuron in spikes[layer].indices { spikes[layer][neuron] = 0 }
      silent[layer] = 0
    }
  }

  /// Losses of different kinds have no common mean.
  mutating func forgetLoss() {
    loss = 0
    lossTrials = 0
  }

  /// What counting needs to tell the trials apart.
  struct Marks {
    fileprivate var ofLayers: [[Int]]
    fileprivate var last = 0

    init(_ network: Network) {
      ofLayers = network.layers.dropLast().map { Array(repeating: 0, count: $0.size) }
    }
  }

  mutating func add(_ trial: some SolvedTrial, marks: inout Marks) {
    marks.last += 1
    trials += 1
    loss += trial.loss
    lossTrials += 1
    if trial.prediction == trial.label { correct += 1 }
    if trial.needsPhantom { phantoms += 1 }
    ofClass[trial.label] += 1
    if trial.isLabelMute { mute[trial.label] += 1 }
    if failure == nil { failure = trial.failure }
    for layer in spikes.indices {
      let active = trial.addSpikeCounts(
        ofLayer: layer, to: &spikes[layer], marks: &marks.ofLayers[layer], mark: marks.last)
      silent[layer] += spikes[layer].count - active
    }
  }

  mutating func add(_ other: Tally) {
    trials += other.trials
    loss += other.loss
    lossTrials += other.lossTrials
    correct += other.correct
    phantoms += other.phantoms
    for label in mute.indices {
      ofClass[label] += other.ofClass[label]
      mute[label] += other.mute[label]
    }
    if failure == nil { failure = other.failure }
    for layer in spikes.indices {
      for neuron in spikes[layer].indices { spikes[layer][neuron] += other.spikes[layer][neuron] }
      silent[layer] += other.silent[layer]
    }
  }

  var meanLoss: Double { loss / Double(max(lossTrials, 1)) }
  var accuracy: Double { Double(correct) / Double(max(trials, 1)) }

  /// Per hidden layer: spikes per neuron and trial.
  var meanSpikes: [Double] {
    spikes.map { Double($0.reduce(0, +)) / Double(max(trials * $0.count, 1)) }
  }

  /// Per hidden layer: standard deviation over neurons of their spikes per trial.
  var spread: [Double] {
    zip(spikes, meanSpikes).map { counts, mean in
      let squares = counts.reduce(0.0) {
        let rate = Double($1) / Double(max(trials, 1))
        return $0 + (rate - mean) * (rate - mean)
      }
      return (squares / Double(max(counts.count, 1))).squareRoot()
    }
  }

  /// Per hidden layer: neurons without a spike in a trial, mean over trials.
  var meanSilent: [Double] { silent.map { Double($0) / Double(max(trials, 1)) } }

  /// Per hidden layer: neurons without a spike in all of it.
  var dead: [[Int]] {
    spikes.map { counts in counts.indices.filter { counts[$0] == 0 } }
  }
}
