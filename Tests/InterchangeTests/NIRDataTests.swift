// SPDX-License-Identifier: MIT

import CHDF5
import EventPropCore
import Experiments
import Foundation
import SpikeData
import Support
import Testing
import Training

@testable import Interchange

@Suite(.serialized) struct NIRDataTests {
  let scratch = ScratchDirectory()

  /// A dataset of a file as doubles, with its shape.
  func read(_ path: String, _ name: String) throws -> (shape: [Int], values: [Double]) {
    let file = H5Fopen(path, eventprop_h5_read_only(), eventprop_h5_default())
    try #require(file >= 0)
    defer { H5Fclose(file) }
    let set = H5Dopen2(file, name, eventprop_h5_default())
    try #require(set >= 0, "\(name)")
    defer { H5Dclose(set) }
    let space = H5Dget_space(set)
    defer { H5Sclose(space) }
    var sizes = Array(repeating: hsize_t(0), count: Int(H5Sget_simple_extent_ndims(space)))
    H5Sget_simple_extent_dims(space, &sizes, nil)
    let shape = sizes.map(Int.init)
    var values = Array(repeating: 0.0, count: shape.reduce(1, *))
    let status = H5Dread(
      set, eventprop_h5_native_double(), eventprop_h5_all(), eventprop_h5_all(),
      eventprop_h5_default(), &values)
    #expect(status >= 0)
    return (shape, values)
  }

  /// What is in the file is what the lane's own trials say.
  @Test(arguments: ["sum", "first_spike"]) func filesHoldTheTrials(loss: String) throws {
    let trainer = try makeTrainer(tinyPreset(solver: "exact", loss: loss))
    _ = try trainer.runAll()
    let before = trainer.state
    let path = scratch.file("lane.h5")
    let count = try NIRData.write(
      trainer, lane: 0, samples: 7, unit: .ms, hiddenVoltages: true, to: path, source: "test")
    #expect(count == 7 && trainer.state == before)
    let samples = try read(path, "metadata/sample").values.map { Int($0) }
    #expect(samples == [0, 5, 11, 17, 22, 28, 34])
    let labels = try read(path, "metadata/label").values.map { Int($0) }
    #expect(labels == samples.map { trainer.data.test.labels[$0] })
    let (shape, indices) = try read(path, "nodes/hidden1/observables/spikes/idx")
    let times = try read(path, "nodes/hidden1/observables/spikes/time").values
    let input = try read(path, "nodes/input/observables/spikes/time")
    let voltages = try read(path, "nodes/output/observables/v/data")
    #expect(shape[0] == 7 && input.shape[0] == 7 && voltages.shape == [7, 60, 3])
    let hidden = try read(path, "nodes/hidden1/observables/v/data")
    #expect(hidden.shape[0] == 7 && hidden.shape[1] == 60)
    var spikes = 0
    for (row, sample) in samples.enumerated() {
      let trial = trainer.lanes[0].probe(
        trainer.data.test, sample: sample, options: trainer.preset.data, points: 60)
      let own = Array(times[row * shape[1]..<(row + 1) * shape[1]])
      #expect(own.filter(\.isFinite) == trial.layers[0].map(\.time))
      let neurons = Array(indices[row * shape[1]..<(row + 1) * shape[1]])
      #expect(neurons.filter { $0 >= 0 } == trial.layers[0].map { Double($0.neuron) })
      spikes += trial.layers[0].count
      // The voltage on its way, as the trace of one neuron has it.
      for neuron in 0..<hidden.shape[2] {
        let curve = (0..<60).map { hidden.values[(row * 60 + $0) * hidden.shape[2] + neuron] }
        let trace = trainer.lanes[0].trace(
          trainer.data.test, sample: sample, options: trainer.preset.data, layer: 0,
          neuron: neuron, spike: nil)
        let points = try #require(trace?.points)
        for (k, v) in curve.enumerated() {
          let time = Double(k + 1) * trainer.preset.duration / 60
          let after = points.firstIndex { $0.time > time } ?? points.count - 1
          let near = [points[max(after - 1, 0)].v, points[after].v].sorted()
          #expect(v >= near[0] - 0.02 && v <= near[1] + 0.02, "\(k) \(v) \(near)")
        }
      }
      let given = Array(input.values[row * input.shape[1]..<(row + 1) * input.shape[1]])
      let arrived = trainer.data.test[sample].times.map { Double($0) }
      #expect(given.filter(\.isFinite) == arrived)
      for output in 0..<3 {
        let curve = (0..<60).map { voltages.values[(row * 60 + $0) * 3 + output] }
        #expect(curve == trial.voltages[output])
      }
    }
    #expect(spikes > 20)
    let seconds = scratch.file("seconds.h5")
    try NIRData.write(trainer, lane: 0, samples: 7, unit: .s, to: seconds, source: "test")
    let scaled = try read(seconds, "nodes/hidden1/observables/spikes/time").values
    #expect(scaled == times.map { $0 * 1e-3 })
    if loss == "first_spike" {
      let own = try read(path, "nodes/output/observables/spikes/idx").shape
      #expect(own[0] == 7)
    }
    let nowhere = scratch.file("no/where.h5")
    #expect(throws: FileError.self) {
      _ = try NIRData.write(
        trainer, lane: 0, samples: 1, unit: .s, to: nowhere, source: "")
    }
  }

  /// The package `nir` reads them, where it is installed.
  @Test func nirReadsThem() throws {
    guard try Python.run("import nir.data_ir").status == 0 else {
      print("nir's own reader was not tried: \(Python.name) cannot import nir.data_ir")
      return
    }
    let train = try Program.run(
      ["train", "yin-yang-losses", "--epochs", "1", "--out", "run"] + TensorBoardTests.settings,
      in: scratch.path, seconds: 120)
    try #require(train.status == 0, "\(train.text)")
    let written = try Program.run(
      ["nirdata", "run", "--out", "data", "--samples", "5"], in: scratch.path)
    try #require(written.status == 0, "\(written.text)")
    let code = """
      import sys, nir
      data = nir.read_data(sys.argv[1])
      spikes = data.nodes["hidden1"].observables["spikes"]
      v = data.nodes["output"].observables["v"]
      print(sorted(data.nodes), spikes.n_neurons, spikes.n_samples, round(spikes.t_max, 9),
            v.shape, round(v.dt, 9), bool((spikes.idx >= -1).all()),
            spikes.to_time_gridded(1e-4).data.sum() > 0, type(spikes).__name__)
      """
    let read = try Python.run(code, scratch.file("data/max.h5"))
    #expect(
      read.text
        == "['hidden1', 'input', 'output'] 20 5 0.0301 (5, 300, 3) 0.0001 True True EventData\n",
      "\(read.text)")
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("data"))
    #expect(Set(names) == ["avg_xentropy.h5", "max.h5", "sum-exponential.h5", "sum.h5"])
  }
}
