// SPDX-License-Identifier: MIT

import Foundation

/// What a preset says of itself, from the comments that open its file: what it shows, what was
/// seen, what to look at, what heals it. Sentences that begin with `When CONDITION:` come up on the
/// screen when that has become true.
public struct PresetCard: Sendable, Equatable {
  /// Where a list of presets puts it.
  public enum Group: String, Sendable, CaseIterable {
    case learn, heal, data
    /// As a heading.
    public var title: String {
      switch self {
      case .learn: "learn"
      case .heal: "fail and heal"
      case .data: "your data"
      }
    }
  }

  /// A sentence, and when it is said.
  public struct Step: Sendable, Equatable {
    /// Steps come in order: one waits for those before it.
    public var condition: Condition
    /// `{A}` is lane A's test accuracy, `{late A}` the share of its hidden gradient that comes from
    /// the last three tenths of the trial.
    public var text: String
  }

  /// What can become true of the lanes A, B, ..., counted from 0.
  public enum Condition: Sendable, Equatable {
    /// From the first moment on.
    case start
    /// Finished epochs.
    case epoch(Int)
    /// Test accuracies differ by so many points.
    case leads(Int, over: Int, points: Double)
    /// Three fifths of a hidden layer's gradient come from the last three tenths of the trial.
    case late(Int)
    /// A hidden layer spikes a tenth as much as it did.
    case starves(Int)
    /// So many per cent of a hidden layer's neurons are dead.
    case dead(Int, percent: Double)
  }

  /// Whole sentences: what the preset is about.
  public var shows = ""
  /// Screens and what is on them.
  public var lookAt = ""
  /// What makes it learn; empty where nothing is wrong.
  public var healedBy = ""
  /// How long it takes: `30 s on two cores`.
  public var takes = ""
  /// Files that it needs.
  public var needs = ""
  /// `learn` where the file does not say.
  public var group = Group.learn
  /// In order.
  public var steps: [Step] = []

  /// Says nothing.
  public init() {}

  /// What is not as it should be; it is then not taken for more than a comment.
  public var notes: [String] = []

  /// - Parameter lines: of the comment, without `#`.
  public init(_ lines: [String]) {
    var entries: [(keyword: String, text: String)] = []
    for line in lines where !line.isEmpty {
      if let keyword = Self.keywords.first(where: { line.hasPrefix($0) }) {
        let rest = line.dropFirst(keyword.count).drop { $0 == ":" || $0 == " " }
        entries.append((keyword, String(rest)))
      } else if entries.isEmpty {
        entries.append(("", line))
      } else {
        entries[entries.count - 1].text += " " + line
      }
    }
    for (keyword, text) in entries {
      switch keyword {
      // For readers of the file.
      case "Seen", "Source": break
      case "Look at": lookAt = text
      case "Healed by": healedBy = text
      case "Takes": takes = text.hasSuffix(".") ? String(text.dropLast()) : text
      case "Needs": needs = text
      case "Group":
        if let known = Group(rawValue: text) {
          group = known
        } else {
          let allowed = Group.allCases.map(\.rawValue).joined(separator: ", ")
          notes.append("Group: \(text): allowed are \(allowed)")
        }
      case "When":
        if let step = Self.step(text) {
          steps.append(step)
        } else {
          notes.append("When \(text): allowed are \(Condition.usage), then a colon and a sentence")
        }
      default: shows += (shows.isEmpty ? "" : " ") + text
      }
    }
    if group == .learn && !needs.isEmpty { group = .data }
  }

  private static let keywords = [
    "Seen", "Look at", "Healed by", "Takes", "Needs", "Source", "Group", "When",
  ]

  /// `A is late: Why? ...`.
  private static func step(_ text: String) -> Step? {
    let halves = text.split(separator: ":", maxSplits: 1).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard halves.count == 2, let condition = Condition(words: halves[0].split(separator: " "))
    else { return nil }
    return Step(condition: condition, text: halves[1])
  }

  /// Those of the file, or where it has none: what it shows, then what to look at, then what heals.
  public var allSteps: [Step] {
    if !steps.isEmpty { return steps }
    var all = [Step(condition: .start, text: shows)]
    if !lookAt.isEmpty { all.append(Step(condition: .epoch(1), text: "Look at: " + lookAt)) }
    if !healedBy.isEmpty { all.append(Step(condition: .epoch(3), text: "Healed by " + healedBy)) }
    return all.filter { !$0.text.isEmpty }
  }
}

extension PresetCard.Condition {
  static let usage = "start, epoch 3, B leads A by 10, A is late, A starves, A has 50 dead"

  fileprivate init?(words: [Substring]) {
    func lane(_ word: Substring) -> Int? {
      guard word.utf8.count == 1, let letter = word.utf8.first, (65...90).contains(letter) else {
        return nil
      }
      return Int(letter) - 65
    }
    func number(_ word: Substring) -> Double? {
      Double(word).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }
    switch words.count {
    case 1 where words[0] == "start": self = .start
    case 2 where words[0] == "epoch":
      guard let epoch = Int(words[1]), (0...1_000_000).contains(epoch) else { return nil }
      self = .epoch(epoch)
    case 2 where words[1] == "starves":
      guard let lane = lane(words[0]) else { return nil }
      self = .starves(lane)
    case 3 where words[1...] == ["is", "late"]:
      guard let lane = lane(words[0]) else { return nil }
      self = .late(lane)
    case 4 where words[1] == "has" && words[3] == "dead":
      guard let lane = lane(words[0]), let percent = number(words[2]) else { return nil }
      self = .dead(lane, percent: percent)
    case 5 where words[1] == "leads" && words[3] == "by":
      guard let a = lane(words[0]), let b = lane(words[2]), let points = number(words[4]) else {
        return nil
      }
      self = .leads(a, over: b, points: points)
    default: return nil
    }
  }
}

extension PresetCard {
  /// The comment lines that open a preset's text, without `#`; the line in which a run names the
  /// program is left out.
  static func comment(in text: String) -> [String] {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .prefix { $0.hasPrefix("#") }
      .map { $0.dropFirst().trimmingCharacters(in: .whitespaces) }
      .filter { !$0.hasPrefix("eventprop ") || $0.split(separator: " ").count != 2 }
  }
}
