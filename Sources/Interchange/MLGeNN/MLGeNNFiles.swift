// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData
import Experiments

/// Weights as mlGeNN's Numpy serialiser has them (`<key>-Conn_<source>_<target>-g.npy` in 2.x,
/// `-weight.npy` in 3.x), or the paper's code genn_eventprop
/// (`<name>_w_<source>_<target>_last.npy`): one list each, pre x post as here.
public enum MLGeNNFiles {
  /// A file of weights.
  private struct Connection {
    var source: String
    var target: String
    var file: String
    /// What stands before: of mlGeNN the number of the checkpoint.
    var key: String
  }

  /// Whether a folder holds such files.
  public static func isFolder(_ path: String) -> Bool { !connections(path).isEmpty }

  private static func connections(_ path: String) -> [Connection] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    return names.compactMap { name -> Connection? in
      func parts(_ text: Substring) -> [String]? {
        let words = text.split(separator: "_").map(String.init)
        return words.count == 2 ? words : nil
      }
      let found: [String]?
      var key = ""
      if let start = name.range(of: "Conn_"),
        let end = ["-g.npy", "-weight.npy"].first(where: name.hasSuffix)
      {
        found = parts(name[start.upperBound...].dropLast(end.count))
        key = String(name[..<start.lowerBound].drop { $0 == "-" })
        while key.hasSuffix("-") { key.removeLast() }
      } else if let start = name.range(of: "w_", options: .backwards), name.hasSuffix("_last.npy") {
        found = parts(name[start.upperBound...].dropLast("_last.npy".count))
      } else {
        found = nil
      }
      return found.map {
        Connection(
          source: $0[0], target: $0[1], file: (path as NSString).appendingPathComponent(name),
          key: key)
      }
    }
  }

  /// - Parameters:
  ///   - inputs: of the data: a list of weights does not say how many there are.
  /// - Throws: `FileError`.
  public static func read(_ path: String, inputs: Int) throws -> ForeignNetwork {
    var found = connections(path)
    // Of several checkpoints the last.
    let keys = Set(found.map(\.key))
    let last = keys.max { a, b in
      switch (Int(a), Int(b)) {
      case (let a?, let b?): a < b
      default: a < b
      }
    }
    if keys.count > 1 { found.removeAll { $0.key != last } }
    let all = found
    let forward = all.filter { $0.source != $0.target }
    let targets = Set(forward.map(\.target))
    guard let first = forward.first(where: { !targets.contains($0.source) }) else {
      throw FileError(path, "holds no weights that begin at an input")
    }
    var network = ForeignNetwork(source: path, inputs: inputs, layers: [])
    if keys.count > 1, let last {
      network.notes.append("of \(keys.count) sets of weights that of \(last) is taken")
    }
    let delays = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    if delays.contains(where: { $0.hasSuffix("-d.npy") }) {
      network.notes.append("delays (-d.npy) are not taken")
    }
    var (place, size) = (first.source, inputs)
    while true {
      let next = forward.filter { $0.source == place }
      if next.isEmpty { break }
      guard next.count == 1, network.layers.count < 64 else {
        throw FileError(path, "has \(next.count) connections from \(place); allowed is a chain")
      }
      let values = try NumPyArray(contentsOf: next[0].file).doubles()
      guard values.count.isMultiple(of: size), !values.isEmpty else {
        throw FileError(
          next[0].file, "has \(values.count) weights, which is no multiple of \(size) in \(place)")
      }
      var layer = ForeignNetwork.Layer(weights: values, size: values.count / size)
      let target = next[0].target
      if let loop = all.first(where: { $0.source == target && $0.target == target }) {
        layer.loop = try NumPyArray(contentsOf: loop.file).doubles()
      }
      network.layers.append(layer)
      (place, size) = (target, layer.size)
    }
    network.notes.append("time constants and thresholds are those of the preset")
    return try network.checked()
  }

  /// Writes weights as mlGeNN 2.x has them: populations are Pop0, Pop1, ... from the input on.
  /// - Returns: what is lost.
  /// - Throws: `FileError`.
  public static func write<Scalar>(
    _ network: Network, _ weights: Parameters<Scalar>, key: String, to folder: String
  ) throws -> [String] {
    try AtomicFile.makeFolder(folder)
    for (projection, matrix) in zip(network.projections, weights.matrices) {
      let name = "\(key)-Conn_Pop\(projection.source)_Pop\(projection.target)-g.npy"
      let values = NPYArray(matrix)
      var flat = values
      flat.shape = [values.count]
      try AtomicFile.write(
        flat.fileBytes, to: (folder as NSString).appendingPathComponent(name))
    }
    return weights.arrays.count > weights.matrices.count
      ? ["delays and trained constants of neurons are not written"] : []
  }
}
