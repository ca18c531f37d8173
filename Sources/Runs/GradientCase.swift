// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore
import Foundation
import SpikeData

/// A cross-check against other simulators: a folder with preset.toml, weights/, spikes.npy and
/// labels.npy or targets.npy, and where there are any delays/ and neurons/; results go to another
/// folder.
public struct GradientCase {
  let preset: Preset
  let network: Network
  let problem: Problem
  let trains: [SpikeTrain]
  /// Classes, or the numbers of target series.
  let labels: [Int]
  let folder: String
  /// Those of files, by the name of their projection.
  private let delays: [String: NPYArray]

  /// - Throws: `FileError` with file, place and what is allowed.
  public init(_ folder: String, settings: [String] = []) throws {
    self.folder = folder
    let path = folder as NSString
    preset = try Preset(
      contentsOf: path.appendingPathComponent("preset.toml"), settings: settings)
    let lane = preset.lanes[0]
    let weights = path.appendingPathComponent("weights") as NSString
    func shape(_ name: String) throws -> [Int] {
      let file = weights.appendingPathComponent(name + ".npy")
      let shape = try NPYArray(contentsOf: file).shape
      guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
        throw FileError(file, "has shape \(shape), allowed is pre x post, at least 1 x 1")
      }
      return shape
    }
    let first = lane.hidden.isEmpty ? "output" : "hidden1"
    let last = lane.hidden.isEmpty ? "input" : "hidden\(lane.hidden.count)"
    let inputs = try shape("input-\(first)")[0]
    let outputs = try shape("\(last)-output")[1]
    guard inputs <= Int(UInt16.max) else {
      throw FileError(folder, "has \(inputs) input units; allowed are \(UInt16.max)")
    }
    let own = lane.network(inputs: inputs, outputs: outputs)
    (network, delays) = try GradientCase.read(path, own, lane, duration: preset.duration)
    let targets = try GradientCase.targets(path, outputs: outputs)
    guard targets == nil || lane.loss.readsTargets else {
      throw FileError(
        folder, "has targets.npy; loss.kind is \"\(lane.lossKind)\", which knows classes alone")
    }
    (trains, labels) = try GradientCase.samples(
      path, inputs: inputs, outputs: outputs, count: targets?.count)
    let (times, duration) = (trains.flatMap(\.times), preset.duration)
    let shaping = lane.shaping.following {
      var counts = Array(repeating: 0, count: InputProfile.bins)
      for time in times where time < duration {
        counts[Int(time / duration * Double(counts.count))] += 1
      }
      return InputProfile(counts: counts, duration: duration)
    }
    problem = Problem(
      network: network, duration: preset.duration, step: lane.step, loss: lane.loss,
      shaping: shaping, targets: targets, mergesInput: preset.data?.mergesPerStep ?? false,
      rule: lane.rule)
  }

  /// The network with the constants and delays of the case's files: delays/<from>-<to>.npy (pre x
  /// post, ms) and neurons/<layer>-<parameter>.npy (one for each neuron). Gradients are wanted of
  /// everything that the solver has them of.
  private static func read(
    _ path: NSString, _ own: Network, _ lane: LaneOptions, duration: Double
  ) throws -> (Network, delays: [String: NPYArray]) {
    var network = own
    var delays: [String: NPYArray] = [:]
    var known: Set<String> = []
    func file(_ kind: String, _ name: String) throws -> NPYArray? {
      let file = path.appendingPathComponent("\(kind)/\(name).npy")
      known.insert("\(kind)/\(name).npy")
      guard FileManager.default.fileExists(atPath: file) else { return nil }
      return try NPYArray(contentsOf: file)
    }
    for projection in own.projections {
      let name = own.name(of: projection)
      known.insert("weights/\(name).npy")
      guard let array = try file("delays", name) else { continue }
      let values = try array.finite(array.file)
      if let bad = values.firstIndex(where: { $0 < 0 }) {
        throw FileError(
          array.file, "entry \(array.place(bad)) is \(values[bad]), allowed are delays from 0 on")
      }
      let longest = max(values.max() ?? 0, duration)
      let target = projection.target - 1
      let form = own.delays(of: projection)?.form ?? .synaptic
      let (rows, columns) = Delays(form, longest: longest).shape(
        own.size(ofPopulation: projection.source), own.layers[target].size)
      let isList = form != .synaptic && array.shape == [rows * columns]
      guard array.shape == [rows, columns] || isList else {
        throw FileError(
          array.file,
          "has shape \(array.shape), allowed with form = \"\(form.rawValue)\" is "
            + "[\(rows), \(columns)], \(form.each)")
      }
      let found = Delays(form, longest: longest, rate: 0)
      if projection.source == projection.target {
        network.layers[target].loopDelays = found
      } else {
        network.layers[target].delays = found
      }
      delays[name] = NPYArray(values, shape: [rows, columns])
    }
    // The grid takes layers of like neurons faster, and to other last digits.
    let hasConstants = FileManager.default.fileExists(
      atPath: path.appendingPathComponent("neurons"))
    for (index, layer) in own.layers.enumerated() {
      for parameter in layer.neuron.parameters {
        let name = own.name(ofPopulation: index + 1) + "-" + parameter.name
        let learned = network.layers[index].learning[parameter]
        if lane.solver == .exact || hasConstants {
          network.layers[index].learning[parameter] = Learning(
            rate: 0, range: learned?.range ?? parameter.range, initial: learned?.initial)
        }
        guard let array = try file("neurons", name) else { continue }
        let values = try array.finite(array.file)
        guard values.count == layer.size else {
          throw FileError(
            array.file, "has shape \(array.shape), allowed is [\(layer.size)], one for each neuron")
        }
        let least = parameter.above
        if let bad = values.firstIndex(where: {
          parameter.allowsZero ? $0 < least : $0 <= least
        }) {
          throw FileError(
            array.file,
            "entry \(array.place(bad)) is \(values[bad]), allowed are numbers "
              + (parameter.allowsZero ? "from \(least) on" : "above \(least)"))
        }
        network.layers[index][parameter] = PerNeuron(values)
        network.layers[index].learning[parameter] = Learning(
          rate: 0, range: (values.min() ?? 1)...(values.max() ?? 1))
      }
    }
    for kind in ["weights", "delays", "neurons"] {
      let folder = path.appendingPathComponent(kind)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      for name in names.sorted() where name.hasSuffix(".npy") && !known.contains("\(kind)/\(name)")
      {
        throw FileError(
          folder + "/" + name,
          "is of no part of this network; allowed are "
            + known.filter { $0.hasPrefix(kind) }.sorted().joined(separator: ", "))
      }
    }
    return (network, delays)
  }

  /// Those of targets.npy: samples x points x outputs, or samples x outputs for constants; nil
  /// where there is no such file.
  private static func targets(_ path: NSString, outputs: Int) throws -> Targets? {
    let file = path.appendingPathComponent("targets.npy")
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let labels = path.appendingPathComponent("labels.npy")
    guard !FileManager.default.fileExists(atPath: labels) else {
      throw FileError(labels, "stands beside targets.npy; allowed is one of the two")
    }
    return try Targets(NumPyArray(contentsOf: file), outputs: outputs)
  }

  /// - Parameter count: of samples, where targets stand in for labels.
  private static func samples(
    _ path: NSString, inputs: Int, outputs: Int, count: Int?
  ) throws -> ([SpikeTrain], [Int]) {
    let labels = try count.map { Array(0..<$0) } ?? labels(path, outputs: outputs)
    let trains = try trains(path, inputs: inputs, count: labels.count)
    return (trains, labels)
  }

  private static func labels(_ path: NSString, outputs: Int) throws -> [Int] {
    let labelFile = path.appendingPathComponent("labels.npy")
    let labelArray = try NPYArray(contentsOf: labelFile)
    guard labelArray.shape.count == 1, labelArray.count > 0 else {
      throw FileError(labelFile, "has shape \(labelArray.shape), allowed is one label per sample")
    }
    return try labelArray.doubles.enumerated().map { sample, label in
      guard label >= 0, label < Double(outputs), label == label.rounded() else {
        throw FileError(
          labelFile,
          "sample \(sample): label \(plain(label)), allowed are whole numbers from 0 to \(outputs - 1)"
        )
      }
      return Int(label)
    }
  }

  private static func trains(_ path: NSString, inputs: Int, count: Int) throws -> [SpikeTrain] {
    let spikeFile = path.appendingPathComponent("spikes.npy")
    let spikes = try NPYArray(contentsOf: spikeFile)
    guard spikes.shape.count == 2, spikes.shape[1] == 3 else {
      throw FileError(
        spikeFile, "has shape \(spikes.shape), allowed is rows of sample, unit, time")
    }
    var trains = Array(repeating: SpikeTrain(), count: count)
    let values = spikes.doubles
    for row in 0..<spikes.shape[0] {
      let (sample, unit, time) = (values[3 * row], values[3 * row + 1], values[3 * row + 2])
      guard sample >= 0, sample < Double(count), sample == sample.rounded() else {
        throw FileError(
          spikeFile,
          "row \(row): sample \(plain(sample)), allowed are whole numbers from 0 to \(count - 1), "
            + "for as many samples as labels.npy or targets.npy has")
      }
      guard unit >= 0, unit < Double(inputs), unit == unit.rounded() else {
        throw FileError(
          spikeFile,
          "row \(row): unit \(plain(unit)), allowed are whole numbers from 0 to \(inputs - 1)")
      }
      guard time >= 0, time.isFinite else {
        throw FileError(spikeFile, "row \(row): time \(time), allowed are times from 0 on")
      }
      trains[Int(sample)].times.append(time)
      trains[Int(sample)].units.append(UInt16(unit))
    }
    for sample in trains.indices { trains[sample].sort() }
    return trains
  }

  /// Whole numbers without a fraction.
  private static func plain(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? "\(number)"
  }

  /// What a case comes to.
  public struct Summary {
    /// Mean over samples.
    public var loss: Double
    /// Samples whose prediction is their label.
    public var correct: Int
    /// R^2 where there are target series.
    public var explained: Double?
    /// As many as labels.npy or targets.npy has entries.
    public var samples: Int
    /// Input spikes at or beyond T, which are left out.
    public var late: Int
    /// Per projection: name and L2 norm of dL/dW.
    public var norms: [(name: String, norm: Double)]
  }

  /// Computes and writes loss.npy, losses.npy, gradients/, spikes/ and, for LI outputs on the grid,
  /// voltages/.
  /// - Parameters:
  ///   - perSample: writes the gradients of single samples too, whose means those of the
  ///   case are, to gradients-per-sample/: one more axis in front.
  ///   - traces: writes the adjoints of every layer at the start of every step, just after what
  ///   happens there in forward time, to traces/<layer>-lambda_v.npy and -lambda_i.npy: samples x
  ///   steps x neurons.
  public func run(
    into out: String, perSample: Bool = false, traces: Bool = false
  ) throws -> Summary {
    switch preset.lanes[0].solver {
    case .grid: try solve(GridSolver(problem), into: out, perSample: perSample, traces: traces)
    case .exact: try solve(ExactSolver(problem), into: out, perSample: perSample, traces: traces)
    }
  }

  private func solve<S: Solver>(
    _ solver: S, into out: String, perSample: Bool, traces: Bool
  ) throws -> Summary {
    // What no file has is drawn as in training; the rest is read below.
    let weights = Parameters<S.Scalar>(
      network, initial: preset.lanes[0].initial, seed: preset.seed)
    for (index, projection) in network.projections.enumerated() {
      let name = network.name(of: projection)
      guard let array = delays[name], let matrix = weights.delays(ofProjection: index) else {
        continue
      }
      try array.copy(to: matrix, name: folder + "/delays/" + name)
    }
    for (projection, matrix) in zip(network.projections, weights.matrices) {
      let name = "weights/" + network.name(of: projection)
      let file = (folder as NSString).appendingPathComponent(name + ".npy")
      try NPYArray(contentsOf: file).copy(to: matrix, name: folder + "/" + name)
    }
    let workspace = solver.makeWorkspace()
    let grid = workspace as? GridWorkspace
    if traces { grid?.keepErrors(currents: true) }
    let steps = Int((problem.duration / problem.step).rounded())
    // Per layer: lV and lI of all samples.
    var adjoints = network.layers.map { _ in (v: [Double](), i: [Double]()) }
    let trials = trains.map { _ in solver.makeTrial() }
    for (sample, trial) in trials.enumerated() {
      (trial as? GridTrial)?.keepVoltages()
      if traces {
        (trial as? ExactTrial)?.adjointTimes = (0..<steps).map { Double($0) * problem.step }
      }
      trains[sample].withView { solver.load($0, label: labels[sample], into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      if let failure = trial.failure { throw FileError(folder, "sample \(sample): \(failure)") }
    }
    var tally = Tally(network)
    var marks = Tally.Marks(network)
    for trial in trials { tally.add(trial, marks: &marks) }
    let push = network.layers.dropLast().enumerated().map { index, layer in
      layer.rate.map { rate in
        tally.spikes[index].map { rate.push(meanCount: Double($0) / Double(trials.count)) }
      } ?? []
    }
    let gradient = Parameters<S.Scalar>(network)
    for trial in trials {
      solver.backward(trial, weights: weights, push: push, gradient: gradient, workspace: workspace)
      guard traces else { continue }
      for layer in adjoints.indices {
        if let grid {
          let own = grid.adjoints(ofLayer: layer)
          adjoints[layer].v += own.v.map(Double.init)
          adjoints[layer].i += own.i.map(Double.init)
        } else if let own = (trial as? ExactTrial)?.adjoints[layer] {
          adjoints[layer].v += own.v
          adjoints[layer].i += own.i
        }
      }
    }
    if traces { try write(adjoints, [trials.count, steps], into: out) }
    solver.finish(gradient, trials: trials.count)
    if perSample {
      let own = trials.map { trial in
        let gradient = Parameters<S.Scalar>(network)
        solver.backward(
          trial, weights: weights, push: push, gradient: gradient, workspace: workspace)
        solver.finish(gradient, trials: 1)
        return gradient
      }
      try write(own, into: out)
    }
    try write(trials, tally, gradient, into: out)
    return Summary(
      loss: tally.meanLoss, correct: tally.correct, explained: tally.fit?.explained,
      samples: trials.count,
      late: trains.reduce(0) { $0 + $1.times.count { $0 >= problem.duration } },
      norms: Array(zip(network.parameterNames, gradient.norms)))
  }

  /// Adjoints of every layer.
  private func write(
    _ adjoints: [(v: [Double], i: [Double])], _ shape: [Int], into out: String
  ) throws {
    for (index, own) in adjoints.enumerated() {
      let shape = shape + [network.layers[index].size]
      for (name, values) in [("lambda_v", own.v), ("lambda_i", own.i)] {
        let file = "traces/\(network.name(ofPopulation: index + 1))-\(name).npy"
        let path = (out as NSString).appendingPathComponent(file)
        try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
        try AtomicFile.write(NPYArray(values, shape: shape).fileBytes, to: path)
      }
    }
  }

  /// Gradients of single samples.
  private func write<Scalar>(_ gradients: [Parameters<Scalar>], into out: String) throws {
    for (index, name) in network.parameterNames.enumerated() {
      let arrays = gradients.map { $0.arrays[index] }
      let shape =
        name.hasPrefix("neurons/") ? [arrays[0].columns] : [arrays[0].rows, arrays[0].columns]
      let path = (out as NSString).appendingPathComponent("gradients-per-sample/\(name).npy")
      try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
      try AtomicFile.write(
        NPYArray(arrays.flatMap(\.doubles), shape: [arrays.count] + shape).fileBytes, to: path)
    }
  }

  /// An array as files have it: constants of neurons as a list of Double.
  private static func file<Scalar>(_ array: Matrix<Scalar>, _ name: String) -> NPYArray {
    name.hasPrefix("neurons/")
      ? NPYArray(array.doubles, shape: [array.columns]) : NPYArray(array)
  }

  private func write<Scalar>(
    _ trials: [any SolvedTrial], _ tally: Tally, _ gradient: Parameters<Scalar>, into out: String
  ) throws {
    func save(_ array: NPYArray, _ name: String) throws {
      let path = (out as NSString).appendingPathComponent(name + ".npy")
      try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
      try AtomicFile.write(array.fileBytes, to: path)
    }
    try save(NPYArray([tally.meanLoss], shape: []), "loss")
    try save(NPYArray(trials.map(\.loss), shape: [trials.count]), "losses")
    for (name, array) in zip(network.parameterNames, gradient.arrays) {
      try save(GradientCase.file(array, name), "gradients/" + name)
    }
    for (index, layer) in network.layers.enumerated() where layer.neuron.isSpiking {
      let rows = trials.enumerated().flatMap { sample, trial in
        trial.spikes(ofLayer: index).flatMap { [Double(sample), Double($0.neuron), $0.time] }
      }
      try save(
        NPYArray(rows, shape: [rows.count / 3, 3]),
        "spikes/" + network.name(ofPopulation: index + 1))
    }
    let grids = trials.compactMap { $0 as? GridTrial }
    if !grids.isEmpty {
      let voltages = grids.map(\.outputVoltages)
      try save(
        NPYArray(
          voltages.flatMap { $0.flatMap { $0 } },
          shape: [grids.count, voltages[0].count, network.output.size]), "voltages/output")
    }
  }
}

extension Delays.Form {
  /// What there is a delay for.
  fileprivate var each: String {
    switch self {
    case .synaptic: "pre x post"
    case .axonal: "one for each neuron that sends"
    case .dendritic: "one for each neuron that receives"
    }
  }
}
