// SPDX-License-Identifier: MIT

import Foundation
import SpikeData

/// The text of one of a run's files.
package enum FileText {
  /// - Throws: `FileError`, for what is no file, not readable or not UTF-8.
  package static func read(_ path: String) throws -> String {
    let data = try RegularFile.contents(path) {
      FileError(path, $0 == "no such file" ? "cannot be read: no such file" : $0)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw FileError(path, "is not UTF-8 text")
    }
    return text
  }
}

/// Numbers of epochs, batches, spikes in files: beyond it they are damage, below it sums do not
/// overflow.
package enum FileLimits {
  package static let counts = 0...1_000_000_000_000
}
