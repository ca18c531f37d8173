// SPDX-License-Identifier: MIT

import CZlib
import Foundation

/// Whole files into memory, plain or gzip-compressed (zlib tells by the content, not by the name).
enum Gzip {
  /// - Throws: `FileError` for a missing, unreadable, damaged or truncated file, or one larger than
  ///   `limit`.
  static func read(_ path: String, limit: Int = 4 << 30) throws -> [UInt8] {
    if let obstacle = RegularFile.obstacle(path) { throw FileError(path, obstacle) }
    guard let file = gzopen(path, "rb") else {
      throw FileError(path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { gzclose(file) }
    gzbuffer(file, 1 << 18)
    var bytes: [UInt8] = []
    var filled = 0
    while true {
      if filled == bytes.count {
        guard filled < limit else {
          throw FileError(path, "is larger than \(limit) bytes unpacked")
        }
        bytes.append(contentsOf: repeatElement(0, count: max(1 << 16, filled)))
      }
      let room = min(bytes.count - filled, 1 << 30)
      let got = bytes.withUnsafeMutableBytes {
        gzread(file, $0.baseAddress! + filled, UInt32(room))
      }
      if got == 0 { break }
      guard got > 0 else { throw damaged(path, file, at: filled) }
      filled += Int(got)
    }
    var status: Int32 = 0
    _ = gzerror(file, &status)
    if status == Z_BUF_ERROR || status < 0 { throw damaged(path, file, at: filled) }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  private static func damaged(_ path: String, _ file: gzFile, at offset: Int) -> FileError {
    var status: Int32 = 0
    let reason = gzerror(file, &status).map { String(cString: $0) } ?? ""
    let detail = reason.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    return FileError(
      path, "is damaged or truncated after \(offset) unpacked bytes (\(detail ?? "gzip error"))")
  }
}
