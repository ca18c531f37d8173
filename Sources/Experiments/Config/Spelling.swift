// SPDX-License-Identifier: MIT

/// What was meant by a name that is none.
package enum Spelling {
  /// The name that differs the least, by two letters at the most; nil: none is near.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let near = names.map { (name: $0, distance: distance($0, word)) }
      .min { $0.distance < $1.distance }
    return near.flatMap { $0.distance <= 2 && $0.distance < word.count ? $0.name : nil }
  }

  /// `; did you mean NAME?`, or nothing.
  package static func hint(_ word: String, _ names: [String]) -> String {
    nearest(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
  }

  /// Levenshtein's edit distance, a swap of neighbours as one edit.
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
