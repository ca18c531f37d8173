// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData

/// Writes networks of the Neuromorphic Intermediate Representation. Numbers are float32, as its own
/// writer has them.
public struct NIRWriter {
  /// What stands for the outputs without a threshold.
  public enum Readout: String, Sendable, CaseIterable {
    /// A node CubaLI, which few read.
    case cubaLI = "cubali"
    /// Nothing: the network ends with its last weights, and the reader integrates by itself.
    case none
  }

  /// What the numbers mean.
  public var dialect: NIRDialect
  /// Of all times.
  public var timeUnit: NIRTimeUnit
  /// Of networks whose outputs have no threshold.
  public var readout: Readout
  /// Whether a recurrent layer is a graph of its own, as snnTorch, Spyx and Rockpool want it.
  public var isNested: Bool

  /// All of the choices.
  public init(
    dialect: NIRDialect = .pure, timeUnit: NIRTimeUnit = .seconds, readout: Readout = .none,
    isNested: Bool = false
  ) {
    self.dialect = dialect
    self.timeUnit = timeUnit
    self.readout = readout
    self.isNested = isNested
  }

  /// - Returns: what NIR has no words for: it stands in the metadata, or is lost. A line each.
  /// - Throws: `FileError`.
  public func write<Scalar>(
    _ network: Network, _ weights: Parameters<Scalar>, tool: String, to path: String
  ) throws -> [String] {
    var network = network
    if !weights.vectors.isEmpty { network.layers = weights.layers }
    let file = try HDF5Maker(path)
    file.write("version", ["1.0.8"], shape: [])
    file.group("node")
    file.group("node/nodes")
    file.write("node/type", ["NIRGraph"], shape: [])
    var notes: [String] = []
    var edges: [(String, String)] = []
    let unit = timeUnit.inMilliseconds
    func node(_ name: String, _ type: String, in group: String = "node/nodes") -> String {
      let place = "\(group)/\(name)"
      file.group(place)
      file.write(place + "/type", [type], shape: [])
      return place
    }
    func size(_ place: String, _ size: Int) { file.write(place + "/shape", [size], shape: [1]) }
    size(node("input", "Input"), network.inputs)
    var last = "input"
    for (index, layer) in network.layers.enumerated() {
      let own = Layered(layer, dialect, unit)
      let isOutput = index == network.layers.count - 1
      let projections = network.projections
      let projection = projections.indices.first { place in
        projections[place].target == index + 1 && projections[place].source == index
      }!
      func affine(_ name: String, _ projection: Int, in group: String = "node/nodes") {
        let place = node(name, "Affine", in: group)
        let matrix = weights.matrices[projection]
        let values = own.there(matrix.doubles, rows: matrix.rows)
        file.write(place + "/weight", values, shape: [matrix.columns, matrix.rows])
        file.write(
          place + "/bias", Array(repeating: 0.0, count: matrix.columns), shape: [matrix.columns])
        if let delays = weights.delays(ofProjection: projection) {
          file.group(place + "/metadata")
          file.write(
            place + "/metadata/delays", delays.doubles.map { $0 / unit },
            shape: [delays.rows, delays.columns])
          notes.append("\(name): delays, pre x post, are in its metadata alone")
        }
      }
      affine("fc\(index + 1)", projection)
      edges.append((last, "fc\(index + 1)"))
      last = "fc\(index + 1)"
      if layer.neuron.adapts {
        notes.append("hidden\(index + 1): adaptation is lost: it is written as CubaLIF")
      }
      if isOutput && !layer.neuron.isSpiking && readout == .none { continue }
      let name = isOutput ? "output_neurons" : "hidden\(index + 1)"
      let isRecurrent = layer.isRecurrent
      let nested = isRecurrent && isNested
      if nested {
        file.group("node/nodes/\(name)")
        file.group("node/nodes/\(name)/nodes")
        file.write("node/nodes/\(name)/type", ["NIRGraph"], shape: [])
        let inner = "node/nodes/\(name)/nodes"
        size(node("input", "Input", in: inner), layer.size)
        size(node("output", "Output", in: inner), layer.size)
        own.write(node("lif", "CubaLIF", in: inner), file)
        affine("w_rec", projection + 1, in: inner)
        let inside: [String] = ["input", "lif", "lif", "w_rec", "w_rec", "lif", "lif", "output"]
        file.write("node/nodes/\(name)/edges", inside, shape: [4, 2])
      } else {
        own.write(node(name, layer.neuron.isSpiking ? "CubaLIF" : "CubaLI"), file)
        if isRecurrent {
          affine("rec\(index + 1)", projection + 1)
          edges += [(name, "rec\(index + 1)"), ("rec\(index + 1)", name)]
        }
      }
      edges.append((last, name))
      last = name
    }
    size(node("output", "Output"), network.output.size)
    edges.append((last, "output"))
    file.write("node/edges", edges.flatMap { [$0.0, $0.1] }, shape: [edges.count, 2])
    file.group("node/metadata")
    file.write("node/metadata/tool", [tool], shape: [])
    file.write("node/metadata/dialect", [dialect.name], shape: [])
    file.write("node/metadata/time_unit", [timeUnit.rawValue], shape: [])
    if case .step(let dt) = dialect {
      file.write("node/metadata/dt", [dt / unit], shape: [], isDouble: true)
    }
    if !network.output.neuron.isSpiking, readout == .none {
      let outputs = network.output
      for (name, values) in [("tau_mem", outputs.tauMem), ("tau_syn", outputs.tauSyn)] {
        file.write(
          "node/metadata/output_" + name, (0..<outputs.size).map { values[$0] },
          shape: [outputs.size], isDouble: true)
      }
      notes.append("the outputs' integrator is in the metadata alone (--readout cubali writes it)")
    }
    try file.finish()
    return notes
  }
}

/// A layer's constants as a file has them.
private struct Layered {
  let layer: Layer
  /// In the unit of the file.
  let tauMem: [Double]
  let tauSyn: [Double]
  let r: [Double]
  let wIn: [Double]
  /// What a weight of a file adds to I here.
  let jump: [Double]

  init(_ layer: Layer, _ dialect: NIRDialect, _ unit: Double) {
    self.layer = layer
    let places = 0..<layer.size
    let mem = places.map { dialect.there(layer.tauMem[$0]) }
    let syn = places.map { dialect.there(layer.tauSyn[$0]) }
    let (r, wIn): ([Double], [Double]) =
      switch dialect {
      case .pure: (mem.map { _ in 1 }, syn)
      case .brainScaleS: (mem.map { _ in 1 }, syn.map { _ in 1 })
      case .step(let dt): (mem.map { $0 / dt }, syn.map { $0 / dt })
      }
    jump = places.map { j in
      dialect.jump(tauMem: mem[j], tauSyn: syn[j], r: r[j], wIn: wIn[j])
    }
    (tauMem, tauSyn) = (mem.map { $0 / unit }, syn.map { $0 / unit })
    // Under `pure` w_in is a time, under `step` a number of steps.
    self.wIn = dialect == .pure ? wIn.map { $0 / unit } : wIn
    self.r = r
  }

  /// Weights pre x post from here, as out x in.
  func there(_ values: [Double], rows: Int) -> [Double] {
    let columns = layer.size
    return (0..<columns).flatMap { j in
      (0..<rows).map { i in values[i * columns + j] / jump[j] }
    }
  }

  func write(_ place: String, _ file: HDF5Maker) {
    let size = layer.size
    func write(_ name: String, _ values: [Double]) {
      file.write(place + "/" + name, values, shape: [size])
    }
    let zero = Array(repeating: 0.0, count: size)
    write("tau_mem", tauMem)
    write("tau_syn", tauSyn)
    write("r", r)
    write("v_leak", zero)
    write("w_in", wIn)
    guard layer.neuron.isSpiking else { return }
    write("v_threshold", (0..<size).map { layer.threshold[$0] })
    write("v_reset", zero)
  }
}
