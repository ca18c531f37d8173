// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData

/// Reads networks of the Neuromorphic Intermediate Representation (Pedersen et al. 2024): a chain
/// of Affine or Linear nodes and CubaLIF neurons, recurrent or not, with CubaLI, CubaLIF or nothing
/// at its end.
public struct NIRReader {
  /// nil: by the file's metadata, else by its numbers.
  public var dialect: NIRDialect?
  /// nil: by the file's metadata, else by the size of its time constants.
  public var timeUnit: NIRTimeUnit?

  /// What is nil is guessed, and the guess is among the notes.
  public init(dialect: NIRDialect? = nil, timeUnit: NIRTimeUnit? = nil) {
    (self.dialect, self.timeUnit) = (dialect, timeUnit)
  }

  /// - Throws: `FileError` that names node and field.
  public func read(_ path: String) throws -> ForeignNetwork {
    let file = try HDF5Node.read(path)
    guard let root = file["node"] else {
      throw FileError(path, "has no group node: it is not a NIR file")
    }
    var chain = try NIRChain(path, root)
    let unit = timeUnit ?? chain.guessedUnit()
    let known = dialect ?? chain.guessedDialect(unit)
    return try chain.network(known, unit)
  }
}

/// The nodes of a file, sub-graphs laid open, and how they follow each other.
private struct NIRChain {
  struct Node {
    var type: String
    var fields: HDF5Node
  }

  let path: String
  var nodes: [String: Node] = [:]
  var edges: [(from: String, to: String)] = []
  let metadata: HDF5Node?
  private var notes: [String] = []

  init(_ path: String, _ root: HDF5Node) throws {
    self.path = path
    metadata = root["metadata"]
    try open(root, "", depth: 0)
    if let missing = edges.flatMap({ [$0.from, $0.to] }).first(where: { nodes[$0] == nil }) {
      throw FileError(path, "has an edge to \(missing), which is no node")
    }
  }

  private func wrong(_ node: String, _ message: String) -> FileError {
    FileError(path, "node \(node) \(message)")
  }

  /// Sub-graphs become part of the whole: their Input and Output pass on what reaches them.
  private mutating func open(_ graph: HDF5Node, _ prefix: String, depth: Int) throws {
    guard depth < 8 else { throw FileError(path, "has graphs within graphs beyond 8") }
    for (name, fields) in graph["nodes"]?.members ?? [:] {
      let full = prefix + name
      guard let type = fields["type"]?.string else { throw wrong(full, "has no type") }
      if type == "NIRGraph" {
        try open(fields, full + ".", depth: depth + 1)
      } else {
        nodes[full] = Node(type: type, fields: fields)
      }
    }
    guard case .text(let shape, let names)? = graph["edges"], shape.count == 2, shape[1] == 2 else {
      if prefix.isEmpty { throw FileError(path, "has no edges") }
      return
    }
    func inner(_ name: String, _ part: String) -> String {
      let isGraph = graph["nodes"]?[name]?["type"]?.string == "NIRGraph"
      guard isGraph else { return prefix + name }
      let members = graph["nodes"]![name]!["nodes"]?.members ?? [:]
      let port = members.first { $0.value["type"]?.string == part }?.key ?? part.lowercased()
      return prefix + name + "." + port
    }
    for k in stride(from: 0, to: names.count, by: 2) {
      edges.append((inner(names[k], "Output"), inner(names[k + 1], "Input")))
    }
  }

  /// What an edge leads to, sub-graphs' ports passed through.
  private func targets(_ name: String) -> [String] {
    var seen: Set<String> = []
    func follow(_ name: String) -> [String] {
      edges.filter { $0.from == name }.flatMap { edge -> [String] in
        guard seen.insert(edge.to).inserted else { return [] }
        let isPort = ["Input", "Output"].contains(nodes[edge.to]?.type) && edge.to.contains(".")
        return isPort ? follow(edge.to) : [edge.to]
      }
    }
    return follow(name).sorted()
  }

  private func numbers(_ name: String, _ field: String) throws -> [Double]? {
    guard let found = nodes[name]?.fields[field] else { return nil }
    guard let values = found.doubles?.values else { throw wrong(name, "\(field) holds no numbers") }
    return values
  }

  /// One for each neuron.
  private func vector(_ name: String, _ field: String, size: Int, standard: Double? = nil) throws
    -> [Double]
  {
    guard let values = try numbers(name, field) else {
      guard let standard else { throw wrong(name, "has no \(field)") }
      return Array(repeating: standard, count: size)
    }
    if values.count == 1 { return Array(repeating: values[0], count: size) }
    guard values.count == size else {
      throw wrong(name, "\(field) has \(values.count) values for \(size) neurons")
    }
    return values
  }

  private static let spiking = ["CubaLIF"]
  private static let leaky = ["CubaLI"]

  private var taus: [Double] {
    nodes.values.flatMap { node in
      ["tau_mem", "tau_syn", "tau"].flatMap { node.fields[$0]?.doubles?.values ?? [] }
    }
  }

  mutating func guessedUnit() -> NIRTimeUnit {
    if let named = metadata?["time_unit"]?.string.flatMap(NIRTimeUnit.init) { return named }
    let unit = (taus.max() ?? 0) < 1 ? NIRTimeUnit.seconds : .milliseconds
    notes.append("times taken for \(unit.rawValue) (--time-unit)")
    return unit
  }

  mutating func guessedDialect(_ unit: NIRTimeUnit) -> NIRDialect {
    let dt = metadata?["dt"]?.doubles?.values.first
    switch metadata?["dialect"]?.string {
    case "pure": return .pure
    case "brainscales": return .brainScaleS
    case "step":
      if let dt { return .step(dt: dt * unit.inMilliseconds) }
    default: break
    }
    let neuron = nodes.values.first { Self.spiking.contains($0.type) }
    let tau = neuron?.fields["tau_syn"]?.doubles?.values.first ?? 1
    let wIn = neuron?.fields["w_in"]?.doubles?.values.first ?? 1
    let found: (dialect: NIRDialect, words: String)
    if abs(wIn - tau) <= 1e-6 * tau {
      found = (.pure, "pure: w_in is tau_syn")
    } else if unit == .milliseconds && wIn == 1 {
      found = (.brainScaleS, "brainscales: w_in is 1, in ms")
    } else {
      let step = tau / wIn * unit.inMilliseconds
      found = (.step(dt: step), String(format: "step, dt %g ms: tau_syn/w_in", step))
    }
    notes.append("dialect taken for \(found.words) (--dialect)")
    return found.dialect
  }

  /// The layers from input to output.
  mutating func network(_ dialect: NIRDialect, _ unit: NIRTimeUnit) throws -> ForeignNetwork {
    let inputs = nodes.filter { $0.value.type == "Input" && !$0.key.contains(".") }.map(\.key)
    let outputs = nodes.filter { $0.value.type == "Output" && !$0.key.contains(".") }.map(\.key)
    guard inputs.count == 1, outputs.count == 1 else {
      throw FileError(
        path, "has \(inputs.count) Input and \(outputs.count) Output nodes; allowed is one of each")
    }
    let allowed = ["Input", "Output", "Affine", "Linear"] + Self.spiking + Self.leaky
    if let odd = nodes.sorted(by: { $0.key < $1.key }).first(where: {
      !allowed.contains($0.value.type)
    }) {
      throw wrong(
        odd.key,
        "is \(odd.value.type); allowed are \(allowed.dropFirst(2).joined(separator: ", "))"
          + (["LIF", "LI", "IF", "I"].contains(odd.value.type)
            ? ": without a synapse's time constant a spike has no gradient here" : ""))
    }
    var layers: [ForeignNetwork.Layer] = []
    var place = inputs[0]
    var size: Int?
    if let shape = try numbers(place, "shape") ?? numbers(place, "input_type") {
      let units = shape.reduce(1, *)
      guard units >= 1, units <= 65_535, units == units.rounded() else {
        throw wrong(place, "has \(units) units; allowed are 1 to 65535")
      }
      size = Int(units)
    }
    while true {
      let next = targets(place).filter { !isLoop($0, of: place) }
      guard next.count == 1 else {
        throw wrong(place, "leads to \(next.count) nodes; allowed is a chain")
      }
      if nodes[next[0]]?.type == "Output" {
        guard
          Self.spiking.contains(nodes[place]?.type ?? "")
            || Self.leaky.contains(
              nodes[place]?.type ?? "")
        else {
          throw wrong(place, "leads to the output without weights")
        }
        break
      }
      guard ["Affine", "Linear"].contains(nodes[next[0]]?.type) else {
        throw wrong(next[0], "follows \(place) without weights; allowed is Affine or Linear")
      }
      let (weights, rows, columns) = try matrix(next[0])
      if let size, size != columns {
        throw wrong(next[0], "has weights for \(columns) inputs, \(place) gives \(size)")
      }
      let after = targets(next[0])
      guard after.count == 1 else {
        throw wrong(next[0], "leads to \(after.count) nodes; allowed is a chain")
      }
      var layer = ForeignNetwork.Layer(weights: weights, size: rows)
      if nodes[after[0]]?.type == "Output" {
        // The receiver integrates: constants are ours, or those that we have written.
        for (parameter, key) in [(NeuronParameter.tauMem, "tau_mem"), (.tauSyn, "tau_syn")] {
          if let values = metadata?["output_" + key]?.doubles?.values,
            values.count == rows || values.count == 1
          {
            layer.constants[parameter] =
              values.count == rows ? values : Array(repeating: values[0], count: rows)
          }
        }
        // Weights of step dialects are of what a step adds to V, with or without a node for that.
        if case .step(let dt) = dialect, let mem = layer.constants[.tauMem],
          let syn = layer.constants[.tauSyn]
        {
          let factors = zip(mem, syn).map { mem, syn in
            let (mem, syn) = (dialect.there(mem), dialect.there(syn))
            return dialect.jump(tauMem: mem, tauSyn: syn, r: mem / dt, wIn: syn / dt)
          }
          for k in layer.weights.indices { layer.weights[k] *= factors[k % rows] }
        }
        layers.append(layer)
        break
      }
      try add(after[0], to: &layer, dialect, unit)
      layers.append(layer)
      if nodes[next[0]]?.fields["metadata"]?["delays"] != nil {
        notes.append("node \(next[0]) has delays in its metadata: they are not taken")
      }
      (place, size) = (after[0], rows)
      guard layers.count < 64 else { throw FileError(path, "goes round without an end") }
    }
    guard !layers.isEmpty else { throw FileError(path, "has no weights") }
    let first = layers[0].weights.count / max(layers[0].size, 1)
    return try ForeignNetwork(source: path, inputs: first, layers: layers, notes: notes).checked()
  }

  /// Whether a node is the weights of a layer to itself.
  private func isLoop(_ name: String, of place: String) -> Bool {
    ["Affine", "Linear"].contains(nodes[name]?.type) && targets(name) == [place]
  }

  /// pre x post: NIR has out x in.
  private func matrix(_ name: String) throws -> (values: [Double], rows: Int, columns: Int) {
    guard let (shape, values) = nodes[name]?.fields["weight"]?.doubles, shape.count == 2,
      shape[0] > 0, shape[1] > 0
    else { throw wrong(name, "has no weight of two dimensions, out x in") }
    if let bias = try numbers(name, "bias"), bias.contains(where: { $0 != 0 }) {
      throw wrong(name, "has a bias other than 0; allowed is 0")
    }
    let (rows, columns) = (shape[0], shape[1])
    var own = Array(repeating: 0.0, count: values.count)
    for j in 0..<rows {
      for i in 0..<columns { own[i * rows + j] = values[j * columns + i] }
    }
    return (own, rows, columns)
  }

  /// The neurons of a layer, and its weights to itself.
  private mutating func add(
    _ name: String, to layer: inout ForeignNetwork.Layer, _ dialect: NIRDialect,
    _ unit: NIRTimeUnit
  ) throws {
    let size = layer.size
    let isSpiking = Self.spiking.contains(nodes[name]?.type ?? "")
    layer.isSpiking = isSpiking
    guard isSpiking || Self.leaky.contains(nodes[name]?.type ?? "") else {
      throw wrong(name, "follows weights; allowed is CubaLIF or CubaLI")
    }
    let r = try vector(name, "r", size: size, standard: 1)
    // Under `pure` w_in is a time; else it counts steps, or does not count.
    let wIn = try vector(name, "w_in", size: size, standard: 1)
    // Where w_in is tau_syn/dt and r tau_mem/dt, the file counts time in steps of its own: what
    // they last is the user's word. Elsewhere w_in and r are gains.
    var scale = unit.inMilliseconds
    if case .step(let dt) = dialect, let syn = try numbers(name, "tau_syn")?.first,
      let mem = try numbers(name, "tau_mem")?.first, syn > 0, wIn[0] > 0,
      abs(r[0] * syn - wIn[0] * mem) <= 1e-4 * abs(wIn[0] * mem)
    {
      let own = syn / wIn[0] * unit.inMilliseconds
      if abs(own - dt) > 1e-6 * dt {
        notes.append("\(name): its steps of \(own) ms are taken for \(dt) ms")
      }
      scale = dt * wIn[0] / syn
    }
    func times(_ field: String) throws -> [Double] {
      let values = try vector(name, field, size: size).map { $0 * scale }
      guard values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw wrong(name, "\(field) is not above 0")
      }
      if case .step(let dt) = dialect, let short = values.first(where: { $0 <= dt }) {
        throw wrong(name, "\(field) is \(short) ms, not above the step of \(dt) ms")
      }
      return values
    }
    let (mem, syn) = (try times("tau_mem"), try times("tau_syn"))
    let leak = try vector(name, "v_leak", size: size, standard: 0)
    let perUnit = dialect == .pure ? unit.inMilliseconds : 1
    let factors = (0..<size).map { j in
      dialect.jump(tauMem: mem[j], tauSyn: syn[j], r: r[j], wIn: wIn[j] * perUnit)
    }
    layer.constants[.tauMem] = mem.map(dialect.here)
    layer.constants[.tauSyn] = syn.map(dialect.here)
    if isSpiking {
      let threshold = try vector(name, "v_threshold", size: size)
      let reset = try vector(name, "v_reset", size: size, standard: 0)
      for j in 0..<size where reset[j] != leak[j] {
        throw wrong(name, "v_reset is \(reset[j]), v_leak \(leak[j]); allowed is the same")
      }
      let own = zip(threshold, leak).map { $0 - $1 }
      guard own.allSatisfy({ $0 > 0 }) else {
        throw wrong(name, "v_threshold is not above v_leak")
      }
      layer.constants[.threshold] = own
    } else if leak.contains(where: { $0 != 0 }) {
      throw wrong(name, "v_leak is not 0")
    }
    for k in layer.weights.indices { layer.weights[k] *= factors[k % size] }
    let loops = targets(name).filter { isLoop($0, of: name) }
    guard loops.count <= 1 else {
      throw wrong(name, "has \(loops.count) loops; allowed is one")
    }
    if let loop = loops.first {
      var (values, rows, columns) = try matrix(loop)
      guard rows == size, columns == size else {
        throw wrong(loop, "is \(rows) x \(columns) for \(size) neurons")
      }
      for k in values.indices { values[k] *= factors[k % size] }
      layer.loop = values
    }
  }
}
