// SPDX-License-Identifier: MIT

@testable import Experiments
import Foundation
import Testing

/// The keys that completion offers are those that readers ask for.
@Suite struct KeySurveyTests {
  private let known = Set(Preset.keys.map(\.path))

  /// Paths of all keys of a table, lists of tables by the number 0.
  private func paths(_ table: ConfigTable, under path: String = "") -> [String] {
    table.keys.flatMap { key -> [String] in
      let own = path.isEmpty ? key : "\(path).\(key)"
      switch table[key]! {
      case .table(let inner) where !inner.isEmpty: return paths(inner, under: own)
      case .list(let items) where !items.isEmpty && items.allSatisfy(\.isTable):
        return items.flatMap { item -> [String] in
          guard case .table(let inner) = item else { return [] }
          return paths(inner, under: "\(own).0")
        }
      default: return [own]
      }
    }
  }

  @Test(arguments: PresetTests.shipped) func everyKeyOfAPresetIsKnown(name: String) throws {
    let preset = try Preset(contentsOf: PresetTests.folder + "/" + name)
    let table = try ConfigTable(parsing: preset.resolvedText, file: name)
    let own = paths(table)
    #expect(own.count > 20)
    for path in own where !known.contains(path) { Issue.record("\(path) of \(name) is not known") }
  }

  @Test func keysOfEveryKindAreKnown() {
    #expect(Set(Preset.keys.map(\.path)).count == Preset.keys.count)
    for path in [
      "seeds", "data.kind", "data.test_file", "data.spikes", "data.augment.dilate",
      "hidden.0.tau_mem", "hidden.0.tau_mem.init.gamma", "hidden.0.tau_adapt.rate",
      "hidden.0.recurrent_weights.sd", "hidden.0.delays.form", "hidden.0.recurrent_delays.max",
      "hidden.0.rate.lambda_upper", "output.tau_syn", "loss.points", "training.stop.min_delta",
      "training.optimiser.beta1", "training.optimiser.momentum", "training.keep_spikes.slope",
      "training.silent.lift_outputs", "diagnosis.every", "lane.0.name", "lane.0.loss.kind",
      "lane.0.training.clip",
    ] {
      #expect(known.contains(path), "\(path)")
    }
    for path in [
      "lane", "lane.0.training.epochs", "lane.0.data.kind", "lane.0.simulation.duration",
      "training.bach",
    ] {
      #expect(!known.contains(path), "\(path)")
    }
    let words = Dictionary(uniqueKeysWithValues: Preset.keys.map { ($0.path, $0.words) })
    #expect(words["simulation.solver"] == ["grid", "exact"])
    #expect(words["training.keep_best"] == ["true", "false"])
    #expect(words["training.epochs"] == [])
    #expect(Preset.keys.first { $0.path == "training.optimiser" }?.isTable == true)
    #expect(Preset.keys.first { $0.path == "hidden.0.tau_mem" }?.isTable == false)
  }

  /// No key is known that a preset refuses wherever it stands.
  @Test func noKeyIsRefusedAsUnknownAtTheTop() {
    let tops = Set(Preset.keys.map { String($0.path.prefix { $0 != "." }) })
    #expect(
      tops == [
        "name", "seed", "seeds", "simulation", "data", "training", "diagnosis", "hidden", "loss",
        "output", "lane",
      ])
  }
}
