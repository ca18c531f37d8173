// SPDX-License-Identifier: MIT

import Foundation

/// Arrays in one `.npz` file, stored as they are.
package enum ArrayArchive {
  /// - Parameter arrays: names without ending, and the bytes of `.npy` files, together below 4 GB.
  /// - Throws: `FileError`.
  package static func write(_ arrays: [(name: String, bytes: [UInt8])], to path: String) throws {
    guard arrays.reduce(0, { $0 + $1.bytes.count + 1024 }) < 0xFFFF_FFFF else {
      throw FileError(path, "would be larger than 4 GB, which a .npz cannot be")
    }
    let bytes = ZipArchive.bytes(of: arrays.map { ($0.name + ".npy", $0.bytes) })
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw FileError(path, "cannot be written: \(error.localizedDescription)")
    }
  }
}
