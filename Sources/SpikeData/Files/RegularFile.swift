// SPDX-License-Identifier: MIT

import Foundation

/// Files that can be read from beginning to end: no folders, and no pipes or devices, which may
/// never end or never begin.
public enum RegularFile {
  /// Why a path cannot be read as a file; nil when it can.
  public static func obstacle(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      return errno == ENOENT || errno == ENOTDIR
        ? "no such file" : "cannot be opened: \(String(cString: strerror(errno)))"
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return nil
    case S_IFDIR: return "is a directory, not a file"
    default: return "is a pipe or a device, not a file"
    }
  }

  /// The whole file.
  /// - Parameter limit: in bytes.
  /// - Throws: what `failure` makes of the reason.
  public static func contents(
    _ path: String, limit: Int = 1 << 31, _ failure: (String) -> any Error
  ) throws -> Data {
    if let obstacle = obstacle(path) { throw failure(obstacle) }
    var status = stat()
    guard stat(path, &status) == 0, status.st_size <= limit else {
      throw failure("is larger than \(limit) bytes")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw failure("cannot be read")
    }
    return data
  }
}
