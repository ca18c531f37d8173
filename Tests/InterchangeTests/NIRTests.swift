// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import SpikeData
import Support
import Testing

@testable import Interchange

/// Networks as files of other programs have them. `.ci/doors.py` tries the same against their own
/// readers.
@Suite struct NIRTests {
  let scratch = ScratchDirectory()

  static let dialects: [(NIRDialect, NIRTimeUnit)] = [
    (.pure, .seconds), (.pure, .milliseconds), (.step(dt: 0.1), .seconds), (.step(dt: 1), .seconds),
    (.brainScaleS, .milliseconds),
  ]

  private func network(recurrent: Bool, readout: Bool = true) -> (Network, Parameters<Double>) {
    let fixture = Fixture(loss: "sum", hidden: [6, 4], recurrent: recurrent, seed: 3)
    var network = fixture.problem.network
    network.layers[0].tauMem = PerNeuron([10, 12, 14, 16, 18, 20])
    network.layers[1].threshold = PerNeuron([0.8, 1, 1.2, 1.4])
    network.layers[2].tauSyn = PerNeuron(7)
    return (network, fixture.weights)
  }

  private func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(abs($0), abs($1), 1e-3) }
  }

  /// What is written comes back, to float32: weights, constants, sizes.
  @Test(arguments: dialects.indices, [false, true])
  func roundTrip(index: Int, nested: Bool) throws {
    let (dialect, unit) = Self.dialects[index]
    for readout in NIRWriter.Readout.allCases {
      for isRecurrent in [false, true] {
        let (network, weights) = network(recurrent: isRecurrent)
        let path = scratch.file("net.nir")
        _ = try NIRWriter(
          dialect: dialect, timeUnit: unit, readout: readout, isNested: nested
        ).write(network, weights, tool: "test", to: path)
        let found = try NIRReader().read(path)
        #expect(found.notes.isEmpty, "\(found.notes)")
        #expect(found.inputs == 6 && found.layers.map(\.size) == [6, 4, 3])
        var projection = 0
        for (own, layer) in zip(found.layers, network.layers) {
          #expect(isNear(own.weights, weights.matrices[projection].values, 1e-6))
          projection += 1
          #expect((own.loop != nil) == layer.isRecurrent)
          if let loop = own.loop {
            #expect(isNear(loop, weights.matrices[projection].values, 1e-6))
            projection += 1
          }
          let places = 0..<layer.size
          #expect(isNear(own.constants[.tauMem] ?? [], places.map { layer.tauMem[$0] }, 1e-5))
          #expect(isNear(own.constants[.tauSyn] ?? [], places.map { layer.tauSyn[$0] }, 1e-5))
          if layer.neuron.isSpiking {
            let thresholds = places.map { layer.threshold[$0] }
            #expect(isNear(own.constants[.threshold] ?? [], thresholds, 1e-6))
          }
        }
      }
    }
  }

  /// The other program's step, spelt out: i = a i + w s, v = b v + i with a = 1 - dt/tau. Here V at
  /// the ends of steps is the same, from a spike on.
  @Test func stepsOfOthersAreOurs() {
    let (dt, mem, syn, w) = (1.0, 20.0, 5.0, 0.3)
    let dialect = NIRDialect.step(dt: dt)
    let jump = dialect.jump(tauMem: mem, tauSyn: syn, r: mem / dt, wIn: syn / dt)
    let decay = Decay(over: dt, tauMem: dialect.here(mem), tauSyn: dialect.here(syn))
    var (theirV, theirI) = (0.0, 0.0)
    var (v, i) = (0.0, w * jump)
    for n in 0..<60 {
      theirI = (1 - dt / syn) * theirI + (n == 0 ? w : 0)
      theirV = (1 - dt / mem) * theirV + theirI
      v = decay.a * v + decay.rise * i
      i *= decay.b
      #expect(abs(v - theirV) < 1e-13)
    }
    #expect(abs(dialect.there(dialect.here(mem)) - mem) < 1e-12)
  }

  /// A file as others write it: without metadata, w_in alone says what a spike is.
  @Test func foreignFilesAreGuessed() throws {
    func write(_ wIn: Double, _ unit: Double, bias: Double = 0, reset: Double = 0) throws -> String
    {
      let path = scratch.file("foreign.nir")
      let file = try HDF5Maker(path)
      file.write("version", ["0.2.0"], shape: [])
      for group in ["node", "node/nodes"] { file.group(group) }
      file.write("node/type", ["NIRGraph"], shape: [])
      func node(_ name: String, _ type: String) -> String {
        file.group("node/nodes/\(name)")
        file.write("node/nodes/\(name)/type", [type], shape: [])
        return "node/nodes/\(name)/"
      }
      file.write(node("input", "Input") + "shape", [2], shape: [1])
      let affine = node("0", "Affine")
      file.write(affine + "weight", [1, 2, 3, 4, 5, 6], shape: [3, 2])
      file.write(affine + "bias", [bias, 0, 0], shape: [3])
      let lif = node("1", "CubaLIF")
      for (name, value) in [
        ("tau_mem", 20 * unit), ("tau_syn", 5 * unit), ("r", 1), ("v_leak", reset),
        ("v_threshold", 1), ("w_in", wIn),
      ] {
        file.write(lif + name, [value, value, value], shape: [3])
      }
      file.write(node("2", "Linear") + "weight", [1, 0, -1], shape: [1, 3])
      file.write(node("output", "Output") + "shape", [1], shape: [1])
      file.write(
        "node/edges", ["input", "0", "0", "1", "1", "2", "2", "output"], shape: [4, 2])
      try file.finish()
      return path
    }
    let pure = try NIRReader().read(write(0.005, 1e-3))
    #expect(pure.layers.map(\.size) == [3, 1] && pure.inputs == 2)
    // out x in becomes pre x post.
    #expect(isNear(pure.layers[0].weights, [1, 3, 5, 2, 4, 6], 1e-6))
    #expect(isNear(pure.layers[0].constants[.tauMem]!, [20, 20, 20], 1e-6))
    #expect(pure.notes.count == 2)
    let scales = try NIRReader().read(write(1, 1))
    #expect(isNear(scales.layers[0].weights, [1, 3, 5, 2, 4, 6], 1e-6))
    let steps = try NIRReader().read(write(50, 1e-3))
    #expect(steps.notes.contains { $0.contains("dt 0.1 ms") })
    let message = #expect(throws: FileError.self) {
      try NIRReader().read(write(0.005, 1e-3, bias: 0.5))
    }
    #expect(message?.message.contains("node 0 has a bias") == true)
    // v_leak without v_reset at the same place.
    #expect(throws: FileError.self) { try NIRReader().read(write(0.005, 1e-3, reset: 0.2)) }
  }

  /// Sizes beyond all measure, constants without values, neurons in the wrong place: refused in
  /// words, or left aside.
  @Test func hostileFieldsAreRefused() throws {
    func write(
      shape: [Int] = [2], hidden: String = "CubaLIF", metadata: [Double]? = nil, wIn: Double = 5,
      r: Double = 20
    ) throws -> String {
      let path = scratch.file("hostile.nir")
      let file = try HDF5Maker(path)
      for group in ["node", "node/nodes", "node/metadata"] { file.group(group) }
      func node(_ name: String, _ type: String) -> String {
        file.group("node/nodes/\(name)")
        file.write("node/nodes/\(name)/type", [type], shape: [])
        return "node/nodes/\(name)/"
      }
      file.write(node("input", "Input") + "shape", shape, shape: [shape.count])
      file.write(node("0", "Linear") + "weight", [1, 2, 3, 4], shape: [2, 2])
      let neurons = node("1", hidden)
      for (name, value) in [("tau_mem", 20.0), ("tau_syn", 5), ("r", r), ("w_in", wIn)] {
        file.write(neurons + name, [value], shape: [1])
      }
      if hidden == "CubaLIF" { file.write(neurons + "v_threshold", [1], shape: [1]) }
      file.write(node("2", "Linear") + "weight", [1, 0], shape: [1, 2])
      file.write(node("output", "Output") + "shape", [1], shape: [1])
      file.write(
        "node/edges", ["input", "0", "0", "1", "1", "2", "2", "output"], shape: [4, 2])
      if let metadata {
        file.write("node/metadata/output_tau_mem", metadata, shape: [metadata.count])
      }
      try file.finish()
      return path
    }
    let milliseconds = NIRReader(dialect: .step(dt: 1), timeUnit: .milliseconds)
    #expect(throws: FileError.self) { try milliseconds.read(write(shape: [1 << 40, 1 << 40])) }
    #expect(throws: FileError.self) { try milliseconds.read(write(shape: [0])) }
    #expect(try milliseconds.read(write(metadata: [])).layers[1].constants.isEmpty)
    let leaky = #expect(throws: FileError.self) {
      try milliseconds.read(write(hidden: "CubaLI"))
    }
    #expect(leaky?.message.contains("no threshold") == true)
    // w_in and r of a step; twice that is a gain, and no other time constant.
    let plain = try milliseconds.read(write()).layers[0]
    let gain = try milliseconds.read(write(wIn: 10)).layers[0]
    #expect(plain.constants[.tauSyn] == gain.constants[.tauSyn])
    #expect(isNear(gain.weights, plain.weights.map { 2 * $0 }, 1e-12))
    let voltages = try milliseconds.read(write())
    try voltages.check(reads: .weightedMean)
    try voltages.check(reads: .firstSpike)
  }

  @Test func whatIsNoNetworkIsRefused() throws {
    let path = scratch.file("x.nir")
    let file = try HDF5Maker(path)
    file.write("version", ["1"], shape: [])
    try file.finish()
    #expect(throws: FileError.self) { try NIRReader().read(path) }
    let text = scratch.write("hello", to: "y.nir")
    #expect(throws: FileError.self) { try NIRReader().read(text) }
  }

  /// mlGeNN's names and lists; sizes follow from the number of inputs.
  @Test func weightsOfMLGeNN() throws {
    let (network, weights) = network(recurrent: true)
    let folder = scratch.file("genn")
    #expect(try MLGeNNFiles.write(network, weights, key: "7", to: folder).isEmpty)
    #expect(MLGeNNFiles.isFolder(folder) && !MLGeNNFiles.isFolder(scratch.path))
    let flat = try NumPyArray(contentsOf: folder + "/7-Conn_Pop0_Pop1-g.npy")
    #expect(flat.shape == [36])
    let found = try MLGeNNFiles.read(folder, inputs: 6)
    #expect(found.layers.map(\.size) == [6, 4, 3])
    #expect(found.layers[0].weights == weights.matrices[0].values)
    #expect(found.layers[0].loop == weights.matrices[1].values)
    #expect(throws: FileError.self) { try MLGeNNFiles.read(folder, inputs: 7) }
    // As the paper's code names them.
    let paper = scratch.file("paper")
    try FileManager.default.createDirectory(atPath: paper, withIntermediateDirectories: true)
    for (name, place) in [
      ("input_hidden0", 0), ("hidden0_hidden0", 1), ("hidden0_hidden1", 2), ("hidden1_hidden1", 3),
      ("hidden1_output", 4),
    ] {
      try AtomicFile.write(
        NPYArray(weights.matrices[place]).fileBytes, to: paper + "/run_w_\(name)_last.npy")
    }
    #expect(
      try MLGeNNFiles.read(paper, inputs: 6).layers.map(\.weights) == found.layers.map(\.weights))
  }
}
