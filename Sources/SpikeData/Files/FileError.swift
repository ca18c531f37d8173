// SPDX-License-Identifier: MIT

/// What is wrong with something read or written: which file, where, what, and what is allowed.
public struct FileError: Error, CustomStringConvertible, Equatable {
  /// Path of the file or folder; or what else is at fault: `--set`, a key, the name of a preset or
  /// of a data set.
  public var file: String
  /// From 1 on; nil where none is known.
  public var line: Int?
  /// What is wrong and what is allowed, without file and line; goes on where these end, as "is
  /// empty".
  public var message: String

  /// - Parameter line: from 1 on; nil where none is known.
  public init(_ file: String, line: Int? = nil, _ message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  /// `file:12: message`, or `file: message`.
  public var description: String {
    line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
  }
}
