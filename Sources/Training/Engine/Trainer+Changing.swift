// SPDX-License-Identifier: MIT

import EventPropCore

/// Changes of lanes while they train. All take effect between two batches.
extension Trainer {
  /// Applies a command that changes a lane or the order of batches; leaves all others alone. The
  /// one place where live sessions, replays and resumed sessions do so.
  func apply(_ command: EngineCommand) throws {
    markSafePlace()
    let steps = undoSteps
    remember(command)
    do {
      try change(by: command)
    } catch {
      undoSteps = steps
      throw error
    }
  }

  private func change(by command: EngineCommand) throws {
    switch command {
    case .undo: try undo()
    case .setRate(let lane, let rate): lanes[lane].options.optimiser.rate = rate
    case .setShaping(let lane, let shaping): try change(lane) { $0.shaping = shaping }
    case .setLoss(let lane, let kind):
      try change(lane) { try $0.setLoss(kind) }
    case .setRegularisation(let lane, let upper, let lower):
      try change(lane) { $0.setRegularisation(upper: upper, lower: lower) }
    case .fork(let lane, let kind): try fork(lane, kind: kind)
    case .drop(let lane): drop(lane)
    case .setOrderSeed(let seed): orderSeed = seed
    case .cure(let lane, let policy, let layer, let neurons):
      try check(neurons, layer: layer)
      var random = Random(seed: preset.seed, "cure", commandCount, layer)
      lanes[lane].cure(policy, layer: layer, neurons: neurons, random: &random)
    case .restart, .pause, .resume, .step, .stepEpoch, .checkpoint, .probe, .detail, .stopWhen,
      .notice, .compareGradients, .inspect:
      return
    }
    commandCount += 1
  }

  private func check(_ neurons: [Int], layer: Int) throws {
    guard (0..<network.hiddenCount).contains(layer) else {
      throw PresetError("cure", "there are hidden1 to hidden\(network.hiddenCount)")
    }
    let size = network.layers[layer].size
    guard let wrong = neurons.first(where: { !(0..<size).contains($0) }) else { return }
    throw PresetError("cure", "hidden\(layer + 1) has no neuron \(wrong): 0 to \(size - 1)")
  }

  /// Gives a lane other options; weights, optimiser state and sums stay.
  func change(_ index: Int, _ edit: (inout LaneOptions) throws -> Void) throws {
    var options = lanes[index].options
    try edit(&options)
    note(lanes[index].options, changedTo: &options)
    replace(index, with: try copy(of: lanes[index], options: options))
  }

  /// Keeps what a lane was trained on before its loss changed. Changes at the same batch border are
  /// one.
  private func note(_ old: LaneOptions, changedTo options: inout LaneOptions) {
    guard options.description != old.description else { return }
    let end = position(epoch: epoch, batch: batchInEpoch)
    let begun = options.past.last?.end ?? 0
    if end > begun {
      options.past.append(
        LossPeriod(description: old.description, epoch: epoch, batch: batchInEpoch, end: end))
    } else if options.past.last?.description == options.description {
      options.past.removeLast()
    }
  }

  /// A lane as it was, to look at.
  func past(_ kept: KeptLane) throws -> any Lane {
    let lane = makeLane(
      kept.options, preset, try preset.problem(for: kept.options, data: data.train),
      capacity: capacity)
    try lane.take(kept)
    watch(lane)
    return lane
  }

  /// Adds a copy of a lane that goes on with the same or another loss.
  func fork(_ index: Int, kind: String) throws {
    guard lanes.count < 4 else {
      throw PresetError("fork", "there are four lanes already: drop one first")
    }
    var options = lanes[index].options
    if kind != options.lossKind { try options.setLoss(kind) }
    note(lanes[index].options, changedTo: &options)
    (options.identity, options.name) = takeIdentity()
    append(try copy(of: lanes[index], options: options))
  }

  /// A lane in the same state under other options.
  private func copy(of lane: any Lane, options: LaneOptions) throws -> any Lane {
    var state = LaneState(lane)
    state.options = options
    let twin = try make(state)
    if options.description != lane.options.description { twin.epochTally.forgetLoss() }
    if options.lossKind != lane.options.lossKind {
      twin.diagnosis.risks.forget()
      twin.diagnosis.atRisk = []
    }
    return twin
  }

  /// A lane in some state, bit by bit: it goes through the files' own format.
  func make(_ state: LaneState) throws -> any Lane {
    let lane = makeLane(
      state.options, preset, try preset.problem(for: state.options, data: data.train),
      capacity: capacity)
    let arrays = Dictionary(uniqueKeysWithValues: state.arrays.map { ($0.name, $0.array) })
    try lane.restore(adamCount: state.adamCount) { name in
      guard let array = arrays[name] else { throw RunError(name, "is not in the lane") }
      return array
    }
    lane.schedule = state.schedule
    lane.epochTally = state.epochTally
    lane.epochSquares = state.epochSquares
    lane.epochBatches = state.epochBatches
    lane.diagnosis = state.diagnosis
    return lane
  }
}

extension LaneOptions {
  /// Strength of rate regularisation in every hidden layer; bounds stay (14 where there were none).
  mutating func setRegularisation(upper: Double, lower: Double) {
    for index in hidden.indices {
      var rate =
        hidden[index].rate
        ?? RateRegularisation(upper: 14, lower: 14, lambdaUpper: 0, lambdaLower: 0)
      rate.lambdaUpper = upper
      rate.lambdaLower = lower
      hidden[index].rate = rate
    }
  }

  /// Another loss with the preset's parameters; output neurons become LI or LIF as it needs.
  mutating func setLoss(_ kind: String) throws {
    guard let entry = LossTable.entry(kind) else {
      let known = LossTable.all.map(\.kind).joined(separator: ", ")
      throw PresetError("loss", "there is no loss \(kind); allowed are \(known)")
    }
    lossKind = kind
    loss = entry.make(lossParameters)
    output.neuron = entry.readout == .firstSpike ? .lif : .li
    if !entry.isShaped { shaping = .none }
  }
}
