// SPDX-License-Identifier: MIT

/// Sums over trials: what metrics are made of. Kept per shard, added up in order.
public struct Tally: Equatable {
  /// All that were added, those given up included.
  public var trials = 0
  /// Sum of the losses of `lossTrials` trials: all, or those since the lane's loss was changed.
  public var loss = 0.0
  /// What `meanLoss` divides by; below `trials` after `forgetLoss`.
  public var lossTrials = 0
  /// Trials whose prediction was the label; one without a prediction (-1) is none.
  public var correct = 0
  /// Of trials that have target series: sums; nil where labels are classes.
  public var fit: Fit?
  /// Trials in which the label's output was silent (phantom spikes injected).
  public var phantoms = 0
  /// Per class: trials, and those in which the label's output was mute (without any gradient).
  public var ofClass: [Int]
  /// As long as `ofClass`, and never above it.
  public var mute: [Int]
  /// Per hidden layer and neuron: spikes.
  public var spikes: [[Int]]
  /// Per hidden layer: trials in which a neuron was silent and not dropped, summed over neurons.
  public var silent: [Int]
  /// Why a forward pass was given up.
  public var failure: String?

  /// Nothing counted yet; as many classes as outputs.
  public init(_ network: Network) {
    let hidden = network.layers.dropLast()
    spikes = hidden.map { Array(repeating: 0, count: $0.size) }
    silent = Array(repeating: 0, count: hidden.count)
    ofClass = Array(repeating: 0, count: network.output.size)
    mute = ofClass
  }

  /// Back to no trials, in the arrays it has.
  public mutating func clear() {
    trials = 0
    forgetLoss()
    correct = 0
    fit = nil
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
  public mutating func forgetLoss() {
    loss = 0
    lossTrials = 0
  }

  /// What counting needs to tell the trials apart.
  public struct Marks {
    fileprivate var ofLayers: [[Int]]
    fileprivate var last = 0

    /// For one thread's tallies of this network; outlives `clear`.
    public init(_ network: Network) {
      ofLayers = network.layers.dropLast().map { Array(repeating: 0, count: $0.size) }
    }
  }

  /// A trial that has gone forward. One that was given up counts too, and makes `loss` NaN.
  public mutating func add(_ trial: some SolvedTrial, marks: inout Marks) {
    marks.last += 1
    trials += 1
    loss += trial.loss
    lossTrials += 1
    if let own = trial.fit {
      fit = fit.map { $0 + own } ?? own
    } else {
      if trial.prediction == trial.label { correct += 1 }
      if trial.needsPhantom { phantoms += 1 }
      ofClass[trial.label] += 1
      if trial.isLabelMute { mute[trial.label] += 1 }
    }
    if failure == nil { failure = trial.failure }
    for layer in spikes.indices {
      let active = trial.addSpikeCounts(
        ofLayer: layer, to: &spikes[layer], marks: &marks.ofLayers[layer], mark: marks.last)
      let dropped = trial.dropped(inLayer: layer).count { $0 }
      silent[layer] += spikes[layer].count - active - dropped
    }
  }

  /// Another of the same network; the failure kept is the first.
  public mutating func add(_ other: Tally) {
    trials += other.trials
    loss += other.loss
    lossTrials += other.lossTrials
    correct += other.correct
    if let other = other.fit { fit = fit.map { $0 + other } ?? other }
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

  /// 0 without trials, NaN once one was given up.
  public var meanLoss: Double { loss / Double(max(lossTrials, 1)) }
  /// Share 0...1 of all trials that are right, 0 without any; where outputs follow target series,
  /// R^2, at most 1.
  public var accuracy: Double { fit?.explained ?? Double(correct) / Double(max(trials, 1)) }

  /// Per hidden layer: spikes per neuron and trial.
  public var meanSpikes: [Double] {
    spikes.map { Double($0.reduce(0, +)) / Double(max(trials * $0.count, 1)) }
  }

  /// Per hidden layer: standard deviation over neurons of their spikes per trial.
  public var spread: [Double] {
    zip(spikes, meanSpikes).map { counts, mean in
      let squares = counts.reduce(0.0) {
        let rate = Double($1) / Double(max(trials, 1))
        return $0 + (rate - mean) * (rate - mean)
      }
      return (squares / Double(max(counts.count, 1))).squareRoot()
    }
  }

  /// Per hidden layer: neurons without a spike in a trial, mean over trials.
  public var meanSilent: [Double] { silent.map { Double($0) / Double(max(trials, 1)) } }

  /// Per hidden layer: neurons without a spike in all of it.
  public var dead: [[Int]] {
    spikes.map { counts in counts.indices.filter { counts[$0] == 0 } }
  }
}
