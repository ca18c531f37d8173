// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Live
@testable import Runs
@testable import Training
import EventPropCore
import Foundation
import Interchange
import Support
import Testing

@testable import SpikeData

/// Every parser on damaged files: an answer or one line of words within five seconds, never a
/// crash. What is being read stands in a file of the scratch folder, should it come to one.
@Suite struct FuzzTests {
  let scratch = ScratchDirectory()

  /// - Parameter read: is to give nothing back, or one of our errors.
  private func fuzz(
    _ name: String, share: Double, make: (inout Mutation) -> [UInt8], read: (String) throws -> Void
  ) {
    let count = max(1, Int(share * Double(Campaign.budget("FUZZ", small: 1200))))
    var mutation = Mutation(
      random: Random(
        seed: Campaign.seed, "fuzz", name.utf8.reduce(0) { 31 &* $0 &+ Int($1) } & 0xFFFF))
    var (answers, refusals) = (0, 0)
    let path = scratch.file(name)
    for round in 0..<count {
      let bytes = make(&mutation)
      _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
      let start = ContinuousClock.now
      let place = "\(name), seed \(Campaign.seed), round \(round)"
      do {
        try read(path)
        answers += 1
      } catch {
        refusals += 1
        let isOurs =
          error is FileError || error is TrainingError
        #expect(isOurs, "\(place): \(type(of: error)) \(error)")
        let text = "\(error)"
        #expect(!text.isEmpty && text.count < 2000, "\(place): \(text.count) characters")
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      #expect(seconds < 5, "\(place) took \(seconds) s")
    }
    print("fuzz \(name): \(count) files, \(answers) read, \(refusals) refused")
  }

  private func presets() throws -> [String] {
    try PresetLibrary.names.map {
      try String(contentsOfFile: "\(Program.presets)/\($0).toml", encoding: .utf8)
    }
      + (try PresetLibrary.names.map {
        try Preset(contentsOf: "\(Program.presets)/\($0).toml").resolvedText
      })
  }

  @Test func presetFiles() throws {
    let valid = try presets()
    fuzz("preset.toml", share: 0.3) { mutation in
      let text = valid[mutation.random.index(below: valid.count)]
      return mutation.text(text)
    } read: { path in
      let preset = try Preset(contentsOf: path)
      // What is read is written so that it is read as the same.
      let again = try Preset(text: preset.resolvedText, file: "again")
      #expect(again.resolvedText == preset.resolvedText)
    }
  }

  @Test func settings() throws {
    let keys = [
      "training.epochs", "training.batch", "hidden.0.size", "hidden.0.rate", "loss.kind",
      "data.train",
      "lane.0.name", "output.weights", "simulation.step", "training.silent", "data.augment", "name",
      "training.optimiser", "training.schedule", "training.clip_value", "data.rescale",
      "hidden.0.dropout", "training.stop", "training.test", "training.start",
      "data.validate_fold",
    ]
    let text = try String(
      contentsOfFile: "\(Program.presets)/yin-yang-losses.toml", encoding: .utf8)
    fuzz("setting", share: 0.1) { mutation in
      mutation.text("\(keys[mutation.random.index(below: keys.count)])=12")
    } read: { path in
      let setting = String(decoding: FileManager.default.contents(atPath: path)!, as: UTF8.self)
      _ = try Preset(text: text, file: "preset", settings: [setting])
    }
  }

  /// A run of three epochs, and its files in turn damaged.
  @Test func filesOfARun() throws {
    let preset = try Preset(
      contentsOf: "\(Program.presets)/yin-yang-losses.toml",
      settings: [
        "data.train=64", "data.test=16", "hidden.0.size=5", "training.epochs=2",
        "data.validate=16", "training.keep_best=true", "training.stop.patience=50",
      ])
    let data = try preset.loadData()
    let run = scratch.file("run")
    let training = try TrainingSession({ try Trainer(preset, data: data, threads: 1) }) {
      try RunDirectory(creating: run, preset: preset, network: $0.network)
    }
    training.apply(.change(SetRate(lane: 0, 0.01)))
    training.apply(.change(Fork(lane: 0, kind: "max")))
    training.apply(.change(Drop(lane: 1)))
    while !training.trainer.isFinished { _ = training.trainBatch() }
    let network = training.trainer.network

    let log = try String(contentsOfFile: run + "/commands.jsonl", encoding: .utf8)
    fuzz("commands.jsonl", share: 0.1) {
      $0.text(log)
    } read: { path in
      let session = try LoggedSession(contentsOf: path)
      let trainer = try Trainer(preset, data: data, threads: 1)
      for logged in session.commands.prefix(20) { _ = try? trainer.command(logged) }
    }
    let csv = try String(contentsOfFile: run + "/metrics.csv", encoding: .utf8)
    fuzz("metrics.csv", share: 0.1) {
      $0.text(csv)
    } read: { path in
      _ = MetricsTable.read(path, network)
      _ = RunDirectory.rows(of: path)
    }
    let place = try #require(try Checkpoint.all(in: run).last)
    let state = try String(contentsOfFile: place.path + "/state.toml", encoding: .utf8)
    let trainer = try Trainer(preset, data: data, threads: 1)
    try trainer.resume(run, at: place)
    fuzz("state.toml", share: 0.1) {
      $0.text(state)
    } read: { path in
      try FileManager.default.removeItem(atPath: place.path + "/state.toml")
      try FileManager.default.copyItem(atPath: path, toPath: place.path + "/state.toml")
      try Checkpoint.restore(place, into: trainer)
      // What was taken is trained on with, to the end of the epoch and into a checkpoint.
      for _ in 0..<2 {
        if trainer.isEpochComplete { _ = trainer.finishEpoch() }
        try trainer.trainBatch()
      }
    }
    let array = [UInt8](
      FileManager.default.contents(
        atPath: place.path + "/\(trainer.laneNames[0])/input-hidden1.npy")!)
    fuzz("array.npy", share: 0.1) {
      $0.bytes(array)
    } read: { path in
      let array = try NPYArray(contentsOf: path)
      #expect(
        array.bytes.count == array.count
          * (array.element == .float32 || array.element == .int32 ? 4 : 8))
    }
  }

  @Test func imageFiles() throws {
    func idx(_ sizes: [Int], _ values: [UInt8]) -> [UInt8] {
      [0, 0, 8, UInt8(sizes.count)]
        + sizes.flatMap { size in (0..<4).map { UInt8(size >> (24 - 8 * $0) & 0xFF) } } + values
    }
    let images = idx([3, 2, 2], [0, 1, 2, 3, 200, 100, 50, 0, 255, 255, 0, 9])
    let labels = scratch.write(idx([3], [0, 1, 2]), to: "labels")
    fuzz("images.idx3", share: 0.1) {
      $0.bytes(images)
    } read: { path in
      _ = try DataReport(path: path, units: 4)
      _ = try IDXImages(duration: 20, step: 1).read(images: path, labels: labels)
    }
  }

  /// Arrays of any program, one by one and in archives; tables; events of N-MNIST.
  @Test func arrayFiles() throws {
    let records = ArrayBytes.npy(
      "[('sample', '<u4'), ('x', '<i2'), ('t', '<i8')]", "2,",
      ArrayBytes.bytes([UInt32(0)]) + ArrayBytes.bytes([Int16(3)]) + ArrayBytes.bytes([Int64(900)])
        + ArrayBytes.bytes([UInt32(1)]) + ArrayBytes.bytes([Int16(1)])
        + ArrayBytes.bytes([Int64(7)]))
    let rows = ArrayBytes.npy("'<f8'", "2, 3", ArrayBytes.bytes([0.0, 1, 2.5, 1, 3, 4]))
    let labels = ArrayBytes.npy("'|u1'", "2,", [0, 1])
    let series = ArrayBytes.npy("'<f4'", "2, 2, 1", ArrayBytes.bytes([Float(0), 1, 2, 3]))
    let folder = scratch.file("arrays")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = scratch.write(labels, to: "arrays/labels.npy")
    for valid in [rows, records] {
      fuzz("arrays/spikes.npy", share: 0.3) {
        $0.bytes(valid)
      } read: { _ in
        _ = try SpikeArrays().read(folder)
        _ = try DataReport(path: folder, units: 4)
      }
    }
    _ = scratch.write(rows, to: "arrays/spikes.npy")
    try FileManager.default.removeItem(atPath: folder + "/labels.npy")
    fuzz("arrays/targets.npy", share: 0.2) {
      $0.bytes(series)
    } read: { _ in
      _ = try SpikeArrays().read(folder)
    }
    let archive = ZipArchive.bytes(of: [("spikes.npy", rows), ("labels.npy", labels)])
    fuzz("spikes.npz", share: 0.5) {
      $0.bytes(archive)
    } read: {
      _ = try SpikeArrays().read($0)
    }
    let tables = scratch.file("tables")
    try FileManager.default.createDirectory(atPath: tables, withIntermediateDirectories: true)
    _ = scratch.write("label\n0\n1\n", to: "tables/labels.csv")
    fuzz("tables/spikes.csv", share: 0.3) {
      $0.bytes(Array("sample,unit,time\n0,1,2.5\n1,3,4\n".utf8))
    } read: { _ in
      _ = try SpikeArrays().read(tables)
    }
    fuzz("events.bin", share: 0.1) {
      $0.bytes([3, 5, 0x81, 0x11, 0x70, 33, 33, 0, 0, 1])
    } read: {
      _ = try NMNIST.events($0)
    }
  }

  /// Networks of other programs, read by the helper process as the program does it.
  @Test func networkFiles() throws {
    let valid = scratch.file("valid.nir")
    let network = Network(
      inputs: 3, layers: [Layer(size: 4, isRecurrent: true), Layer(size: 2, neuron: .li)])
    let weights = Parameters<Double>(
      network, initial: network.projections.map { _ in InitialWeights(mean: 0, sd: 1) }, seed: 1)
    _ = try NIRWriter(readout: .cubaLI).write(network, weights, tool: "fuzz", to: valid)
    let bytes = [UInt8](FileManager.default.contents(atPath: valid)!)
    HDF5Helper.executable = Program.path
    defer { HDF5Helper.executable = nil }
    fuzz("network.nir", share: 0.1) {
      $0.bytes(bytes)
    } read: {
      _ = try NIRReader().read($0)
    }
  }

  /// In a process of its own, as the program does it: libhdf5 may crash and hang there.
  @Test func spikeFiles() throws {
    let valid = scratch.file("valid.h5")
    HDF5Writer.write(
      valid, times: [[0.25, 0.5], [], [0.1, 0.2, 0.3]], units: [[1, 2], [], [3, 4, 5]],
      labels: [0, 1, 1], speakers: [0, 1, 1], names: ["null", "eins"])
    let bytes = [UInt8](FileManager.default.contents(atPath: valid)!)
    var crashes = 0
    fuzz("spikes.h5", share: 0.1) {
      $0.bytes(bytes)
    } read: { path in
      do {
        let data = try HDF5Helper.read(path, units: 700, by: Program.path)
        #expect(data.units.allSatisfy { $0 < 700 })
      } catch let error as FileError {
        if error.message.contains("libhdf5") { crashes += 1 }
        throw error
      }
    }
    print("fuzz spikes.h5: libhdf5 itself crashed or hung on \(crashes)")
  }
}
