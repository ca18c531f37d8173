// SPDX-License-Identifier: MIT

import Foundation
import SpikeData

/// What is wrong with a file of a run or a case: which file, what, and what is allowed.
public struct RunError: Error, CustomStringConvertible, Equatable {
  /// Path of the file or folder, with `:12` where a line is meant.
  public var file: String
  /// What is wrong and what is allowed, without the file.
  public var message: String

  /// - Parameter file: a path, with `:12` where a line is meant.
  public init(_ file: String, _ message: String) {
    self.file = file
    self.message = message
  }

  /// `file: message`.
  public var description: String { "\(file): \(message)" }
}

/// The text of one of a run's files.
enum RunText {
  /// - Throws: `RunError`, for what is no file, not readable or not UTF-8.
  static func read(_ path: String) throws -> String {
    let data = try RegularFile.contents(path) {
      RunError(path, $0 == "no such file" ? "cannot be read: no such file" : $0)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw RunError(path, "is not UTF-8 text")
    }
    return text
  }
}

/// Numbers of epochs, batches, spikes in files: beyond it they are damage, below it sums do not
/// overflow.
enum FileLimits {
  static let counts = 0...1_000_000_000_000
}
