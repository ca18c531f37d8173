// SPDX-License-Identifier: MIT

/// Which keys a file may have: what its readers ask for. There is no second list.
///
/// A file is read again and again, each time with one key otherwise (another word where words are
/// chosen among, a table where there may be one), and every key that is asked for is noted. What is
/// needed and missing is made up meanwhile.
package final class KeySurvey {
  /// One key of a file.
  package struct Key: Sendable, Equatable {
    /// Dotted, as `--set` takes it.
    package var path: String
    /// The values there are; empty where it takes others.
    package var words: [String]
    /// Whether it is but the way to keys of its own.
    package var isTable: Bool
  }

  /// In the order in which they are asked for.
  package private(set) var keys: [Key] = []
  private var places: [String: Int] = [:]
  private var other: [(path: String, value: ConfigValue)] = []

  private init() {}

  /// - Parameters:
  ///   - begin: what the first file has.
  ///   - read: reads one with a reader of this survey; may throw.
  package static func keys(
    beginning begin: ConfigTable, read: (ConfigTable, KeySurvey) throws -> Void
  ) -> [Key] {
    let survey = KeySurvey()
    var waiting = [begin]
    var tried: Set<String> = []
    while let table = waiting.popLast() {
      survey.other = []
      // An error ends this reading; what it had asked for is known.
      try? read(table, survey)
      for (path, value) in survey.other
      where tried.insert("\(path) \(value.text)").inserted {
        var next = table
        if next.set(path.split(separator: ".").map(String.init), to: value) { waiting.append(next) }
      }
    }
    return survey.keys
  }

  func note(_ path: String, words: [String] = [], isTable: Bool = false) {
    if let place = places[path] {
      if keys[place].words.isEmpty { keys[place].words = words }
      keys[place].isTable = keys[place].isTable && isTable
      return
    }
    places[path] = keys.count
    keys.append(Key(path: path, words: words, isTable: isTable))
  }

  /// What a key may be in another file.
  func note(_ path: String, mayBe values: [ConfigValue]) {
    other += values.map { (path, $0) }
  }
}
