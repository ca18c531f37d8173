// SPDX-License-Identifier: MIT

@testable import Training
import EventPropCore
import Testing

@Suite struct CommandTableTests {
  static let texts = [
    "rate 0.001", "shaping exponential 1.0", "shaping custom 0.1:1.0 0.7:0.25", "shaping none",
    "loss max", "fork sum", "drop", "undo", "regularisation 0.001 0.0001", "order-seed 77",
    "lift 0.125 hidden1 3,5", "redraw hidden2 7", "scale 1.8 hidden2", "scale 0.25 output",
    "skip",
  ]

  @Test(arguments: texts)
  func commandsAreReadAsTheyAreWritten(text: String) throws {
    let command = try #require(CommandTable.command(text: text, lane: 1))
    #expect(command.text == text)
    #expect(command.lane == 1 || command.lane == nil)
  }

  @Test func everyFormHasAnExample() {
    let names = Set(Self.texts.map { String($0.prefix { $0 != " " }) })
    #expect(names == Set(CommandTable.forms.map(\.name)))
    #expect(CommandTable.forms.count == names.count)
  }

  @Test(arguments: [
    "", "nonsense 1", "rate", "rate fast", "rate -1", "rate 1001", "rate 1 2", "drop 1", "undo 1",
    "lift 1 hidden0 1", "lift 1 hidden1 1,", "lift nan hidden1 1", "redraw 1", "order-seed 1.5",
    "regularisation 1", "regularisation -1 0", "shaping", "loss", "fork sum max",
    "scale", "scale 2", "scale 2 hidden0", "scale 2 input", "scale 101 output", "scale 0 output",
    "scale nan hidden1", "scale 1 2 output",
  ])
  func damagedCommandsAreNone(text: String) {
    #expect(CommandTable.command(text: text, lane: 0) == nil)
  }
}
