// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Foundation

/// A word that is nearly a verb. Unsaid, a command with a default would take it for the name of a
/// preset or of a file.
struct MistypedVerb: Error, CustomStringConvertible {
  /// What was typed.
  var word: String
  /// What was meant.
  var verb: String
  /// All that stand there.
  var verbs: [String]

  var description: String {
    "\(word): is not a command; did you mean \(verb)? Allowed are \(verbs.joined(separator: ", "))"
  }

  /// Looks at the words before the first option.
  /// - Parameters:
  ///   - words: without the program's name.
  ///   - presets: names that are no mistake.
  static func find(_ words: [String], presets: [String]) -> MistypedVerb? {
    var command: any ParsableCommand.Type = EventPropCommand.self
    for word in words {
      let inner = command.configuration.subcommands
      if word.hasPrefix("-") || word == "help" || inner.isEmpty { return nil }
      if let next = inner.first(where: { name($0) == word }) {
        command = next
        continue
      }
      if presets.contains(word) || FileManager.default.fileExists(atPath: word) { return nil }
      let verbs = inner.filter { $0.configuration.shouldDisplay }.map { name($0) }
      guard let verb = Spelling.nearest(to: word, among: verbs + ["help"]) else { return nil }
      let preset = Spelling.nearest(to: word, among: presets)
      if let preset, Spelling.distance(preset, word) < Spelling.distance(verb, word) { return nil }
      return MistypedVerb(word: word, verb: verb, verbs: verbs)
    }
    return nil
  }

  /// As it is typed; the parser makes the same of the names of types.
  private static func name(_ command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }
}
