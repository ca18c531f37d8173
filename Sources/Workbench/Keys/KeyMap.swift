// SPDX-License-Identifier: MIT

import Experiments

/// The actions with the keys that they have now: those of the table, unless the user has others.
public struct KeyMap: Sendable {
  /// In the order of the help.
  public private(set) var actions = Action.all

  /// The keys of the table.
  public init() {}

  /// Reads a table of action names with their keys: `pause = "z"`, `undo = ["u", "Backspace"]`.
  /// - Throws: `FileError` for an unknown action or key, or a key with two actions on a screen.
  package init(_ section: ConfigReader) throws {
    let allowed = "a character, or one of \(Key.names.joined(separator: ", "))"
    var changed: [String] = []
    for index in actions.indices {
      let name = actions[index].name
      let texts: [String]
      if case .string? = section.table[name] {
        texts = [try section.string(name, default: nil)]
      } else {
        guard let list = try section.list(name, allowed, { $0.word }) else { continue }
        texts = list
      }
      actions[index].keys = try texts.map { text in
        guard let key = Key(named: text) else {
          throw section.error(name, "\"\(text)\" is not a key; allowed is \(allowed)")
        }
        return key
      }
      changed.append(name)
    }
    try section.finish()
    for name in section.table.keys where changed.contains(name) {
      if let clash = clash(of: name) {
        throw section.error(
          name,
          "\(clash.key.label) is also \(clash.other) on \(clash.screen.title); "
            + "allowed is a key that no other action there has")
      }
    }
  }

  /// The first key of an action that another has on the same screen.
  private func clash(of name: String) -> (key: Key, other: String, screen: ScreenKind)? {
    guard let action = actions.first(where: { $0.name == name }) else { return nil }
    for screen in ScreenKind.allCases where action.applies(on: screen) {
      for other in actions where other.name != name && other.applies(on: screen) {
        if let key = action.keys.first(where: { other.keys.contains($0) }) {
          return (key, other.name, screen)
        }
      }
    }
    return nil
  }

  func key(of name: String) -> Key? { actions.first { $0.name == name }?.keys.first }

  /// How sentences call an action: by its first key; without one, as it is typed.
  func label(_ name: String) -> String { key(of: name)?.label ?? ":\(name)" }

  /// An entry of the bottom line: the keys named there as they are now, and what they do. Empty for
  /// an action that has none.
  func entry(_ action: Action, on screen: ScreenKind) -> String {
    guard let first = action.keys.first else { return "" }
    let short = action.short
    guard short.contains(" "), action.name != "pause" else { return "\(first.label) \(short)" }
    var words = short.split(separator: " ").map(String.init)
    for index in words.indices {
      let word = words[index]
      // The first word is a key, or two with a sign between; so are single signs after it.
      guard index == 0 || word.count == 1 && !word.first!.isLetter else { break }
      if word.count == 3, let low = word.first, let high = word.last, "/-".contains(Array(word)[1])
      {
        words[index] =
          now("\(low)", on: screen) + String(Array(word)[1]) + now("\(high)", on: screen)
      } else {
        words[index] = now(word, on: screen)
      }
    }
    return words.joined(separator: " ")
  }

  /// What has become of a key of the table.
  private func now(_ label: String, on screen: ScreenKind) -> String {
    let index = Action.all.firstIndex {
      $0.applies(on: screen) && $0.keys.contains { $0.label == label }
    }
    guard let index else { return label }
    if actions[index].keys == Action.all[index].keys { return label }
    return actions[index].keys.first?.label ?? ""
  }
}

extension Key {
  private static let named: [Key] = [
    .character(" "), .enter, .tab, .backTab, .backspace, .pageUp, .pageDown, .home, .end,
  ]
  private static let arrows: [(name: String, key: Key)] = [
    ("Up", .up), ("Down", .down), ("Left", .left), ("Right", .right),
  ]

  /// Those that are no characters. Esc closes what is open, and is nothing else.
  static let names = named.map(\.label) + arrows.map(\.name)

  /// nil: there is no such key.
  init?(named text: String) {
    if let key = Key.named.first(where: { $0.label.lowercased() == text.lowercased() }) {
      self = key
    } else if let arrow = Key.arrows.first(where: {
      $0.name.lowercased() == text.lowercased() || $0.key.label == text
    }) {
      self = arrow.key
    } else if text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first,
      scalar != " ", !VisibleText.isHidden(scalar)
    {
      self = .character(Character(scalar))
    } else {
      return nil
    }
  }
}

extension ConfigValue {
  /// A string's text.
  fileprivate var word: String? {
    if case .string(let text) = self { return text }
    return nil
  }
}
