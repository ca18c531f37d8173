// SPDX-License-Identifier: MIT

import Foundation

/// Arrays in one `.npz` file, stored as they are.
package enum ArrayArchive {
  /// - Parameter arrays: names without ending, and the bytes of `.npy` files, each below 4 GB.
  /// - Throws: `FileError`.
  package static func write(_ arrays: [(name: String, bytes: [UInt8])], to path: String) throws {
    if let large = arrays.first(where: { $0.bytes.count >= 0xFFFF_FFFF }) {
      throw FileError(path, "\(large.name) is larger than 4 GB")
    }
    let bytes = ZipArchive.bytes(of: arrays.map { ($0.name + ".npy", $0.bytes) })
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw FileError(path, "cannot be written: \(error.localizedDescription)")
    }
  }
}
