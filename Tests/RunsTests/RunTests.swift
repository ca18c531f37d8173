// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Runs
@testable import Training
import SpikeData
import EventPropCore
import Foundation
import Support
import Testing

@Suite struct RunTests {
  let scratch = ScratchDirectory()

  static let text = tinyPreset(
    hidden: "recurrent = true\nrate = { upper = 1, lambda_upper = 1e-4, lambda_lower = 1e-4 }",
    training: """
      silent = { policy = "redraw" }
      schedule = { ease_in = 1.2, decay = 0.9, halve_after = 1 }
      """, extra: twoLanes)

  /// Trains `batches` batches with a run folder, writing a checkpoint at the end.
  func train(_ trainer: Trainer, batches: Int, into run: RunDirectory) throws {
    for _ in 0..<batches {
      try trainer.trainBatch()
      if trainer.isEpochComplete { try run.append(trainer.finishEpoch()) }
    }
    try Checkpoint.write(trainer, to: run, keep: 2)
  }

  @Test(arguments: [1, 4, 5, 7, 11]) func resumedRunsAreBitIdentical(stop: Int) throws {
    let whole = try makeTrainer(Self.text, threads: 2)
    _ = try whole.runAll()

    let first = try makeTrainer(Self.text)
    let path = scratch.file("run")
    try withRun {
      try RunDirectory(creating: path, preset: first.preset, network: first.network)
    } _: { run in
      try train(first, batches: stop, into: run)
      // A crash leaves rows and a half-written checkpoint behind.
      try run.append([EpochMetrics(first.lanes[0], epoch: 99, validation: nil, test: nil)])
      try FileManager.default.createDirectory(
        atPath: path + "/checkpoints/.writing-9", withIntermediateDirectories: true)
    }

    let run = try RunToResume(path)
    let preset = try Preset(contentsOf: run.path + "/preset.toml")
    let second = try Trainer(preset, data: preset.loadData(), threads: 3)
    let place = try #require(try Checkpoint.all(in: run.path).last)
    #expect(place.epoch * 4 + place.batch == stop)
    try Checkpoint.restore(place, into: second)
    let resumed = try RunDirectory(resuming: run, second)
    #expect(resumed.droppedRows == 1)
    try train(second, batches: 12 - stop, into: resumed)
    #expect(second.isFinished)
    #expect(second.state == whole.state)

    let csv = try String(contentsOfFile: run.path + "/metrics.csv", encoding: .utf8)
    let epochs = csv.split(separator: "\n").dropFirst().map { $0.prefix { $0 != "," } }
    #expect(epochs == ["1", "1", "2", "2", "3", "3"])
  }

  /// In the middle of an epoch with blended samples in addition (7 batches), with what each
  /// optimiser keeps, and with dropout.
  @Test(arguments: [
    "{ kind = \"sgd\", momentum = 0.9, rate = 0.05 }", "{ kind = \"sgd\", rate = 0.05 }",
    "{ kind = \"adamw\" }",
  ])
  func otherOptimisersResumeBitByBit(optimiser: String) throws {
    let settings = [
      "training.optimiser=\(optimiser)", "data.augment={ blend = 0.5, blend_added = 1 }",
      "hidden.0.dropout=0.2", "training.epochs=2",
    ]
    let whole = try makeTrainer(tinyPreset(), settings: settings)
    #expect(whole.batchesPerEpoch == 7)
    _ = try whole.runAll()
    let first = try makeTrainer(tinyPreset(), settings: settings)
    let path = scratch.file("run")
    try withRun {
      try RunDirectory(creating: path, preset: first.preset, network: first.network)
    } _: { run in
      try train(first, batches: 12, into: run)
    }
    let preset = try Preset(contentsOf: path + "/preset.toml")
    let second = try Trainer(preset, data: preset.loadData(), threads: 3)
    let place = try #require(try Checkpoint.all(in: path).last)
    #expect(place.epoch == 1 && place.batch == 5)
    try Checkpoint.restore(place, into: second)
    _ = try second.runAll()
    #expect(second.state == whole.state)
    #expect(second.lanes[0].updates == 14)
  }

  @Test func metricsOfAResumedEpochCountAllOfIt() throws {
    let whole = try makeTrainer(Self.text)
    let rows = try whole.runAll()
    let first = try makeTrainer(Self.text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: first.preset, network: first.network)
    try train(first, batches: 2, into: run)
    let second = try makeTrainer(Self.text)
    try Checkpoint.restore(Checkpoint.all(in: run.path).last!, into: second)
    for _ in 0..<2 { try second.trainBatch() }
    let row = second.finishEpoch()[0]
    let columns = MetricsTable.columns([second.network], .accuracy)
    #expect(
      MetricsTable.row(row, columns: columns)
        == MetricsTable.row(rows[0], columns: columns))
  }

  /// Keeping spikes: a resume in mid-epoch ends in the same bits and writes the same rows.
  @Test(arguments: ["grid", "exact"], [2, 4, 7]) func resumedRunsKeepTheSameSpikes(
    solver: String, stop: Int
  ) throws {
    let text = tinyPreset(
      solver: solver, hidden: "recurrent = true",
      training: """
        silent = { policy = "redraw" }
        keep_spikes = { per_neuron = 8, probe = 40 }
        """)
    let settings = ["training.optimiser.rate=0.1"]
    let whole = try makeTrainer(text, settings: settings)
    let rows = try whole.runAll()
    let first = try makeTrainer(text, settings: settings)
    let path = scratch.file("run")
    try withRun {
      try RunDirectory(creating: path, preset: first.preset, network: first.network)
    } _: { run in
      try train(first, batches: stop, into: run)
    }
    let run = try RunToResume(path)
    let preset = try Preset(contentsOf: run.path + "/preset.toml")
    let second = try Trainer(preset, data: preset.loadData(), threads: 2)
    try Checkpoint.restore(try #require(try Checkpoint.all(in: run.path).last), into: second)
    #expect(second.lanes[0].keeping == first.lanes[0].keeping)
    let resumed = try RunDirectory(resuming: run, second)
    try train(second, batches: 12 - stop, into: resumed)
    #expect(second.state == whole.state)
    let read = MetricsTable.read(path + "/metrics.csv", second.network)
    #expect(read.map(\.kept) == rows.map(\.kept) && read.map(\.lost) == rows.map(\.lost))
    #expect(read.map(\.stepGivenUp) == rows.map(\.stepGivenUp))
    #expect(read.allSatisfy { $0.kept! > 0 && $0.stepGivenUp! > 0 })
  }

  /// A file of before keeping spikes is read, and goes on with the columns it has.
  @Test func filesWithoutColumnsOfKeptSpikesGoOn() throws {
    let trainer = try makeTrainer(tinyPreset(training: "keep_spikes = {}"))
    let path = scratch.file("run")
    try withRun {
      try RunDirectory(creating: path, preset: trainer.preset, network: trainer.network)
    } _: {
      try train(trainer, batches: 4, into: $0)
    }
    let csv = path + "/metrics.csv"
    let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    #expect(lines[0].hasSuffix(",alarms,kept_neurons,lost_neurons,step_given_up"))
    let older = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).dropLast(3) }
    _ = scratch.write(
      older.map { $0.joined(separator: ",") + "\n" }.joined(), to: "run/metrics.csv")
    #expect(MetricsTable.read(csv, trainer.network).map(\.kept) == [nil])
    let resumed = try RunDirectory(resuming: RunToResume(path), trainer)
    try train(trainer, batches: 4, into: resumed)
    let rows = MetricsTable.read(csv, trainer.network)
    #expect(rows.map(\.epoch) == [1, 2] && rows.map(\.kept) == [nil, nil])
    let text = try String(contentsOfFile: csv, encoding: .utf8)
    #expect(!text.contains("kept_neurons"))
  }

  /// Counts that cannot be are refused.
  @Test func damagedCountsOfKeptSpikesAreNamed() throws {
    let text = tinyPreset(training: "keep_spikes = {}")
    let trainer = try makeTrainer(text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: trainer.preset, network: trainer.network)
    try train(trainer, batches: 1, into: run)
    let place = try Checkpoint.all(in: run.path)[0]
    let file = place.path + "/state.toml"
    let state = try String(contentsOfFile: file, encoding: .utf8)
    let damaged = state.replacingOccurrences(
      of: #"keeping = \[[^\]]*\]"#, with: "keeping = [-1.0, 0.0, 0.0, 1.0]",
      options: .regularExpression)
    #expect(damaged != state)
    try damaged.write(toFile: file, atomically: true, encoding: .utf8)
    let error = #expect(throws: FileError.self) {
      try Checkpoint.restore(place, into: try makeTrainer(text))
    }
    #expect("\(error!)".contains("keeping: allowed are four numbers from 0 on"))
  }

  /// A restart that cannot be finished leaves all as it was; one of a run without metrics.csv
  /// works.
  @Test func settingAsideIsAllOrNothing() throws {
    let trainer = try makeTrainer(Self.text)
    let path = scratch.file("run")
    try withRun {
      try RunDirectory(creating: path, preset: trainer.preset, network: trainer.network)
    } _: { run in
      try train(trainer, batches: 4, into: run)
      let rows = try String(contentsOfFile: path + "/metrics.csv", encoding: .utf8)
      // What is to be written first is in the way: a folder.
      let files = FileManager.default
      try files.createDirectory(
        atPath: path + "/metrics.csv.next/x", withIntermediateDirectories: true)
      #expect(throws: FileError.self) { try run.setAside() }
      #expect(try String(contentsOfFile: path + "/metrics.csv", encoding: .utf8) == rows)
      #expect(try Checkpoint.all(in: path).count == 1)
      #expect(!files.fileExists(atPath: path + "/before-restart-1"))
      #expect(!files.fileExists(atPath: path + "/checkpoints.next"))
      try files.removeItem(atPath: path + "/metrics.csv.next")
      try files.removeItem(atPath: path + "/metrics.csv")
      try RunDirectory.setAside(path)
      #expect(try Checkpoint.all(in: path).isEmpty)
      #expect(try Checkpoint.all(in: path + "/before-restart-1").count == 1)
      // Only the note of who trains is gone: the lock holds, the training goes on.
      try files.removeItem(atPath: path + "/.lock")
      try run.check()
      #expect(throws: FileError.self) { try RunToResume(path) }
    }
    #expect(try RunToResume(path).place == nil)
  }

  @Test func oldCheckpointsGo() throws {
    let trainer = try makeTrainer(Self.text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: trainer.preset, network: trainer.network)
    try train(trainer, batches: 2, into: run)
    #expect(try Checkpoint.all(in: run.path).map(\.batch) == [2])
    for _ in 0..<2 { try train(trainer, batches: 4, into: run) }
    try train(trainer, batches: 2, into: run)
    #expect(try Checkpoint.all(in: run.path).map(\.epoch) == [3])
    let numpy = try NPYArray(contentsOf: run.path + "/checkpoints/3/plain/hidden1-hidden1.npy")
    #expect(numpy.shape == [20, 20])
    #expect(numpy.element == .float32)
  }

  @Test func damagedCheckpointsAreNamed() throws {
    let trainer = try makeTrainer(Self.text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: trainer.preset, network: trainer.network)
    try train(trainer, batches: 1, into: run)
    let place = try Checkpoint.all(in: run.path)[0]
    func message() -> String {
      do {
        try Checkpoint.restore(place, into: try makeTrainer(Self.text))
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(message() == "no error")
    let file = place.path + "/plain/hidden1-output.npy"
    let bytes = FileManager.default.contents(atPath: file)!
    try bytes.dropLast(7).write(to: URL(fileURLWithPath: file))
    #expect(message().contains("hidden1-output.npy: shape [20, 3] of <f4 needs 240 bytes"))
    try Data().write(to: URL(fileURLWithPath: file))
    #expect(message().contains("hidden1-output.npy: is empty"))
    try FileManager.default.removeItem(atPath: file)
    #expect(message().contains("hidden1-output.npy: no such file"))
    try FileManager.default.removeItem(atPath: place.path + "/state.toml")
    #expect(message().contains("state.toml: cannot be read"))
  }

  @Test func foldersInUseAndUnwritableOnesAreRefused() throws {
    let trainer = try makeTrainer(Self.text)
    _ = scratch.write("x", to: "something")
    func message(_ path: String) -> String {
      do {
        _ = try RunDirectory(creating: path, preset: trainer.preset, network: trainer.network)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(message(scratch.path).contains("exists already"))
    #expect(message(scratch.file("something")).contains("exists already"))
    #expect(message("/proc/eventprop").contains("cannot be created"))
  }

  @Test func aFullDiskIsSaidAndLeavesNothing() throws {
    let error = #expect(throws: FileError.self) {
      let full = try AppendFile("/dev/full")
      try full.append(line: "x")
    }
    #expect(error?.message == "cannot be written: No space left on device")
    let folder = scratch.file("folder")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: folder) }
    #expect(!FileManager.default.fileExists(atPath: folder + ".tmp"))
  }
}

@Suite struct NPYTests {
  let scratch = ScratchDirectory()

  func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try NPYArray(fileBytes: bytes, path: "a.npy")
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func roundTrips() throws {
    let arrays = [
      NPYArray([1.5, -2, .infinity, 3, 4, 5], shape: [2, 3]), NPYArray([Float(7)], shape: [1]),
      NPYArray([3, -4], shape: [2, 1, 1]), NPYArray([0.25], shape: []),
      NPYArray([Double](), shape: [0, 3]),
    ]
    for array in arrays {
      let again = try NPYArray(fileBytes: array.fileBytes, path: "a.npy")
      #expect(again == array)
      #expect((array.fileBytes.count - array.bytes.count) % 64 == 0)
    }
    #expect(arrays[0].doubles == [1.5, -2, .infinity, 3, 4, 5])
  }

  @Test func hostileBytes() {
    let good = NPYArray([1.0, 2], shape: [2]).fileBytes
    #expect(message([]) == "a.npy: is empty; a .npy file was expected")
    #expect(message(Array("hello world, this".utf8)).contains("not a .npy file"))
    #expect(message(Array(good.prefix(20))).contains("truncated in its header"))
    #expect(message(Array(good.dropLast())).contains("needs 16 bytes, the file has 15"))
    func changed(_ from: String, _ to: String) -> String {
      let header = String(
        decoding: good.prefix(128 - 0).dropLast(0).prefix(good.count - 16), as: UTF8.self)
      _ = header
      var text = good.map { Character(UnicodeScalar($0)) }.map(String.init).joined()
      text = text.replacingOccurrences(of: from, with: to)
      return message(text.unicodeScalars.map { UInt8($0.value) })
    }
    #expect(changed("<f8", "|O8").contains("has type |O8, allowed are <f4, <f8, <i4, <i8"))
    #expect(changed("False", "True ").contains("Fortran order"))
    #expect(changed("(2,)", "(x,)").contains("shape entry x"))
    var random = Random(seed: 1, "npy")
    for _ in 0..<500 {
      var broken = good
      broken[random.index(below: broken.count)] = UInt8(random.index(below: 256))
      _ = message(broken)
    }
  }
}

@Suite struct CaseTests {
  let scratch = ScratchDirectory()

  /// A case folder for a fixture; spikes and weights as other simulators would write them.
  func writeCase(_ fixture: Fixture, solver: String, loss: String = "sum") throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("weights"), withIntermediateDirectories: true)
    for (projection, matrix) in zip(fixture.problem.network.projections, fixture.weights.matrices) {
      let name = fixture.problem.network.name(of: projection)
      _ = scratch.write(NPYArray(matrix).fileBytes, to: "weights/\(name).npy")
    }
    let rows = fixture.samples.enumerated().flatMap { index, sample in
      zip(sample.train.units, sample.train.times).flatMap {
        [Double(index), Double($0), Double($1)]
      }
    }
    _ = scratch.write(NPYArray(rows, shape: [rows.count / 3, 3]).fileBytes, to: "spikes.npy")
    _ = scratch.write(
      NPYArray(fixture.samples.map(\.label), shape: [fixture.samples.count]).fileBytes,
      to: "labels.npy")
    _ = scratch.write(
      """
      [simulation]
      solver = "\(solver)"
      duration = 30.0
      step = 0.1
      [[hidden]]
      size = 12
      recurrent = true
      [loss]
      kind = "\(loss)"
      shaping = "exponential"
      """, to: "preset.toml")
  }

  @Test func gradientsAreThoseOfTheSolvers() throws {
    let fixture = Fixture(
      loss: "sum", shaping: .exponential(scale: 1), recurrent: true, spikesPerUnit: 2)
    try writeCase(fixture, solver: "exact")
    let summary = try GradientCase(scratch.path).run(into: scratch.file("out"))
    let check = GradientCheck(fixture.problem, samples: fixture.samples, weights: fixture.weights)
    let expected = check.gradient(fixture.weights)
    for (projection, matrix) in zip(fixture.problem.network.projections, expected.matrices) {
      let name = fixture.problem.network.name(of: projection)
      let array = try NPYArray(contentsOf: scratch.file("out/gradients/\(name).npy"))
      // Not the same bits: with the gradients of constants neurons are gone through one by one.
      let size = matrix.values.reduce(0) { max($0, abs($1)) }
      #expect(zip(array.doubles, matrix.values).allSatisfy { abs($0 - $1) < 1e-12 * size })
    }
    #expect(try NPYArray(contentsOf: scratch.file("out/loss.npy")).doubles == [summary.loss])
    let spikes = try NPYArray(contentsOf: scratch.file("out/spikes/hidden1.npy"))
    #expect(spikes.shape[1] == 3 && spikes.shape[0] > 10)
  }

  /// Delays and constants of each neuron are read from files, and gradients of all of them written.
  @Test func delaysAndConstantsOfFiles() throws {
    let fixture = Fixture(
      loss: "sum", shaping: .exponential(scale: 1), recurrent: true, spikesPerUnit: 2)
    try writeCase(fixture, solver: "exact")
    var random = Random(seed: 5, "case")
    func draw(_ count: Int, _ low: Double, _ high: Double) -> [Double] {
      (0..<count).map { _ in random.uniform(low, high) }
    }
    let delays = [
      "input-hidden1": draw(72, 0, 5), "hidden1-hidden1": draw(144, 0.5, 9),
      "hidden1-output": draw(36, 0, 3),
    ]
    let shapes = [
      "input-hidden1": [6, 12], "hidden1-hidden1": [12, 12], "hidden1-output": [12, 3],
    ]
    let constants = [
      "hidden1-tau_mem": draw(12, 15, 25), "hidden1-threshold": draw(12, 0.8, 1.1),
      "output-tau_syn": draw(3, 4, 9),
    ]
    for folder in ["delays", "neurons"] {
      try FileManager.default.createDirectory(
        atPath: scratch.file(folder), withIntermediateDirectories: true)
    }
    for (name, values) in delays {
      _ = scratch.write(
        NPYArray(values, shape: shapes[name]!).fileBytes, to: "delays/\(name).npy")
    }
    for (name, values) in constants {
      _ = scratch.write(
        NPYArray(values, shape: [values.count]).fileBytes, to: "neurons/\(name).npy")
    }
    _ = try GradientCase(scratch.path).run(into: scratch.file("out"))

    var problem = fixture.problem
    var layers = problem.network.layers
    layers[0].tauMem = PerNeuron(constants["hidden1-tau_mem"]!)
    layers[0].threshold = PerNeuron(constants["hidden1-threshold"]!)
    layers[1].tauSyn = PerNeuron(constants["output-tau_syn"]!)
    for index in 0...1 {
      for parameter in layers[index].neuron.parameters { layers[index].train(parameter, rate: 0) }
      layers[index].delays = Delays(longest: 30)
    }
    layers[0].loopDelays = Delays(longest: 30)
    problem.network.layers = layers
    let weights = Parameters<Double>(
      problem.network,
      initial: problem.network.projections.map { _ in InitialWeights(mean: 0, sd: 0) },
      seed: 1)
    for (new, old) in zip(weights.matrices, fixture.weights.matrices) { new.values = old.values }
    for (index, projection) in problem.network.projections.enumerated() {
      weights.delays(ofProjection: index)!.values = delays[problem.network.name(of: projection)]!
    }
    let check = GradientCheck(problem, samples: fixture.samples, weights: weights)
    let expected = check.gradient(weights)
    for (name, matrix) in zip(problem.network.parameterNames, expected.arrays) {
      let array = try NPYArray(contentsOf: scratch.file("out/gradients/\(name).npy"))
      #expect(array.doubles == matrix.values, "\(name)")
      #expect(
        array.shape
          == (name.hasPrefix("neurons/") ? [matrix.columns] : [matrix.rows, matrix.columns]))
      #expect(matrix.norm > 0, "\(name)")
    }
    for row in check.run(weights: weights, perMatrix: 6, settling: 2.5e-6) {
      #expect(row.compared > 0 && row.relativeError < 1e-6, "\(row)")
    }
    _ = try GradientCase(scratch.path).run(into: scratch.file("out"), perSample: true)
    for (name, matrix) in zip(problem.network.parameterNames, expected.arrays) {
      let array = try NPYArray(contentsOf: scratch.file("out/gradients-per-sample/\(name).npy"))
      #expect(array.shape.first == 3 && array.count == 3 * matrix.rows * matrix.columns)
      let single = array.doubles
      let size = matrix.values.reduce(0) { max($0, abs($1)) }
      for (k, value) in matrix.values.enumerated() {
        let mean =
          stride(from: k, to: single.count, by: single.count / 3)
          .reduce(0.0) { $0 + single[$1] } / 3
        #expect(abs(mean - value) < 1e-12 * size, "\(name)")
      }
    }
    _ = scratch.write(NPYArray([1.0], shape: [1]).fileBytes, to: "neurons/hidden1-tau_men.npy")
    #expect(throws: FileError.self) { try GradientCase(scratch.path) }
  }

  /// targets.npy in place of labels.npy, as samples x points x outputs; adjoints on request.
  @Test(arguments: ["exact", "grid"]) func casesOfRegression(solver: String) throws {
    let fixture = Fixture(
      loss: "mse", shaping: .exponential(scale: 1), recurrent: true, spikesPerUnit: 2)
    try writeCase(fixture, solver: solver, loss: "mse")
    let targets = fixture.problem.targets!
    var rows: [Double] = []
    for (_, label) in fixture.samples {
      for point in 0..<targets.points {
        for j in 0..<targets.outputs {
          rows.append(
            targets.value(
              label: label, output: j, at: Double(point) / Double(targets.points - 1)))
        }
      }
    }
    let shape = [fixture.samples.count, targets.points, targets.outputs]
    _ = scratch.write(NPYArray(rows, shape: shape).fileBytes, to: "targets.npy")
    try FileManager.default.removeItem(atPath: scratch.file("labels.npy"))
    let summary = try GradientCase(scratch.path).run(into: scratch.file("out"), traces: true)
    #expect(summary.samples == fixture.samples.count)
    let found = try NPYArray(contentsOf: scratch.file("out/gradients/input-hidden1.npy")).doubles
    if solver == "exact" {
      let check = GradientCheck(
        fixture.problem, samples: fixture.samples, weights: fixture.weights)
      let expected = check.gradient(fixture.weights).matrices[0].values
      let size = expected.reduce(0) { max($0, abs($1)) }
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-9 * size) }
    }
    let steps = Int((fixture.problem.duration / fixture.problem.step).rounded())
    for (layer, own) in [("hidden1", 12), ("output", 3)] {
      for name in ["lambda_v", "lambda_i"] {
        let trace = try NPYArray(contentsOf: scratch.file("out/traces/\(layer)-\(name).npy"))
        #expect(trace.shape == [fixture.samples.count, steps, own])
        #expect(trace.doubles.contains { $0 != 0 })
      }
    }
    _ = scratch.write(NPYArray(rows, shape: [rows.count]).fileBytes, to: "targets.npy")
    #expect(throws: FileError.self) { try GradientCase(scratch.path) }
  }

  @Test func theGridWritesVoltages() throws {
    let fixture = Fixture(loss: "sum", recurrent: true, spikesPerUnit: 2)
    try writeCase(fixture, solver: "grid")
    _ = try GradientCase(scratch.path).run(into: scratch.file("out"))
    let voltages = try NPYArray(contentsOf: scratch.file("out/voltages/output.npy"))
    #expect(voltages.shape == [3, 300, 3])
    #expect(voltages.doubles.contains { $0 != 0 })
  }

  @Test func wrongCasesAreNamed() throws {
    let fixture = Fixture(loss: "sum", recurrent: true)
    func message() -> String {
      do {
        _ = try GradientCase(scratch.path).run(into: scratch.file("out"))
        return "no error"
      } catch {
        return "\(error)".replacingOccurrences(of: scratch.path + "/", with: "")
      }
    }
    try writeCase(fixture, solver: "grid")
    #expect(message() == "no error")
    _ = scratch.write(NPYArray([0.0, 99, 1], shape: [1, 3]).fileBytes, to: "spikes.npy")
    #expect(message() == "spikes.npy: row 0: unit 99, allowed are whole numbers from 0 to 5")
    _ = scratch.write(NPYArray([0.0, 1, .nan], shape: [1, 3]).fileBytes, to: "spikes.npy")
    #expect(message().contains("row 0: time nan, allowed are times from 0 on"))
    _ = scratch.write(NPYArray([0.0, 1], shape: [1, 2]).fileBytes, to: "spikes.npy")
    #expect(message().contains("has shape [1, 2], allowed is rows of sample, unit, time"))
    try writeCase(fixture, solver: "grid")
    _ = scratch.write(NPYArray([5, 0, 1], shape: [3]).fileBytes, to: "labels.npy")
    #expect(message() == "labels.npy: sample 0: label 5, allowed are whole numbers from 0 to 2")
    try writeCase(fixture, solver: "grid")
    _ = scratch.write(
      NPYArray(Array(repeating: 0.5, count: 9), shape: [3, 3]).fileBytes,
      to: "weights/hidden1-hidden1.npy")
    #expect(message().contains("hidden1-hidden1.npy: has shape [3, 3], allowed is [12, 12]"))
    try writeCase(fixture, solver: "grid")
    let delays = NPYArray(Array(repeating: 0.5, count: 9), shape: [3, 3])
    try FileManager.default.createDirectory(
      atPath: scratch.file("delays"), withIntermediateDirectories: true)
    _ = scratch.write(delays.fileBytes, to: "delays/input-hidden1.npy")
    #expect(
      message().contains(
        "has shape [3, 3], allowed with form = \"synaptic\" is [6, 12], pre x post"))
    try FileManager.default.removeItem(atPath: scratch.file("delays"))
    // A file that the network has no use for would say another network than is computed.
    _ = scratch.write(delays.fileBytes, to: "weights/hidden1-hiden1.npy")
    #expect(message().contains("weights/hidden1-hiden1.npy: is of no part of this network"))
  }
}
