// SPDX-License-Identifier: MIT

/// A change of the training between two batches: typed, logged, replayed and taken back by the same
/// words. To add one: a type here, and a line in `CommandTable.all`.
package protocol TrainingCommand: Sendable, Equatable {
  /// Its names, and what follows each.
  static var forms: [CommandForm] { get }
  /// What it does to the list of lanes, so that it can be taken back.
  static var effect: LaneEffect { get }
  /// It is about certain neurons: of several seeds only the network that is shown takes it.
  static var isOfOneNetwork: Bool { get }
  /// From what was typed or logged; nil when the values are not as the form's usage says.
  /// - Parameters:
  ///   - name: of one of `forms`.
  ///   - lane: index of the lane that it is for.
  init?(_ name: String, _ values: [String], lane: Int)
  /// Index of the lane that it is for; nil: it is for all.
  var lane: Int? { get }
  /// As in the log, name first: read again it is this command.
  var text: String { get }
  /// - Throws: an error that says why it cannot be done; the lanes are then as before.
  func apply(to trainer: Trainer) throws
}

extension TrainingCommand {
  package static var isOfOneNetwork: Bool { false }
}

/// What a command does to the list of lanes.
package enum LaneEffect: Sendable {
  /// Changes one lane, which can be taken back.
  case changes
  case adds, removes
  /// Leaves the lanes alone, or takes something back.
  case none
}

/// A name of a command, and what is typed after it.
package struct CommandForm: Sendable {
  /// Typed after `:`, and first in the log.
  package var name: String
  /// What it does, for the help.
  package var title: String
  /// What may follow the name, as in help and refusals; empty: nothing.
  package var usage = ""
  /// Words that complete.
  package var words: [String] = []
}

extension CommandForm {
  /// One word of some follows the name.
  init(name: String, title: String, oneOf words: [String]) {
    self.init(name: name, title: title, usage: words.joined(separator: ", "), words: words)
  }
}

/// Every command that changes the training.
package enum CommandTable {
  /// In the order of the help.
  package static let all: [any TrainingCommand.Type] = [
    SetShaping.self, SetLoss.self, SetRate.self, Fork.self, Drop.self, Undo.self,
    SetRegularisation.self, SetOrderSeed.self, Cure.self, ScaleWeights.self,
    SkipBatch.self,
  ]

  /// Of all commands.
  package static let forms: [CommandForm] = all.flatMap { $0.forms }

  /// A command from the words of a log or a prompt; nil for what is none.
  /// - Parameter lane: index of the lane that it is for.
  package static func command(_ words: [String], lane: Int) -> (any TrainingCommand)? {
    guard let name = words.first,
      let type = all.first(where: { $0.forms.contains { $0.name == name } })
    else { return nil }
    return type.init(name, Array(words.dropFirst()), lane: lane)
  }

  /// The same from one line.
  package static func command(text: String, lane: Int) -> (any TrainingCommand)? {
    command(text.split(separator: " ").map(String.init), lane: lane)
  }
}

/// Why a command cannot be done.
package struct CommandError: Error, CustomStringConvertible, Equatable {
  /// `name: message`.
  package var description: String

  /// - Parameter name: the command's, as typed.
  init(_ name: String, _ message: String) { description = "\(name): \(message)" }
}
