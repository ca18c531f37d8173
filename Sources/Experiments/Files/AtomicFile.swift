// SPDX-License-Identifier: MIT

import SpikeData
import Foundation

/// Files that are either there as a whole or not at all.
package enum AtomicFile {
  /// Writes aside, syncs, renames.
  /// - Throws: `FileError` with the system's reason (disk full, read-only, ...); nothing is left
  ///   behind.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let aside = path + ".tmp"
    // What a crash left, or a link that someone put there: not to be written through.
    unlink(aside)
    do {
      try writeSynced(bytes, to: aside)
      guard rename(aside, path) == 0 else { throw failure(path) }
    } catch {
      unlink(aside)
      throw error
    }
    try syncFolder((path as NSString).deletingLastPathComponent)
  }

  /// Writes and syncs a new file that does not need to be atomic (its folder will be). Links are
  /// not followed.
  package static func writeSynced(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let result = bytes.withUnsafeBytes {
        Foundation.write(file, $0.baseAddress! + written, bytes.count - written)
      }
      if result < 0 {
        if errno == EINTR { continue }
        throw failure(path)
      }
      written += result
    }
    guard fsync(file) == 0 else { throw failure(path) }
  }

  /// - Throws: `FileError` when the names in the folder did not get to disk.
  package static func syncFolder(_ path: String) throws {
    let folder = open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure(path) }
    defer { close(folder) }
    // Some file systems do not sync folders.
    guard fsync(folder) == 0 || errno == EINVAL else { throw failure(path) }
  }

  /// Removes what is named, a folder by renaming it first: at no instant is half of it to be found
  /// under its name.
  package static func remove(_ path: String) {
    let name = path as NSString
    let aside = (name.deletingLastPathComponent as NSString)
      .appendingPathComponent(".removing-" + name.lastPathComponent)
    let files = FileManager.default
    try? files.removeItem(atPath: aside)
    if rename(path, aside) == 0 { try? files.removeItem(atPath: aside) }
  }

  /// Makes a folder in one that exists; one that is there already is taken.
  package static func makeInnerFolder(_ path: String) throws {
    if mkdir(path, 0o755) == 0 { return }
    guard errno == EEXIST else {
      throw FileError(path, "cannot be created: \(String(cString: strerror(errno)))")
    }
  }

  /// Makes a folder and those above it.
  package static func makeFolder(_ path: String) throws {
    do {
      guard !path.isEmpty else { throw FileError("\"\"", "is no name of a folder") }
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch let error as FileError {
      throw error
    } catch {
      throw FileError(path, "cannot be created: \(reason(error))")
    }
  }

  package static func failure(_ path: String) -> FileError {
    FileError(path, "cannot be written: \(String(cString: strerror(errno)))")
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let underlying, underlying.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(underlying.code)))
    }
    return (error as NSError).localizedDescription
  }
}

/// A file that only grows, line by line or record by record, each flushed.
package final class AppendFile {
  private let path: String
  private let descriptor: Int32

  package init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.failure(path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func sync() throws {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw AtomicFile.failure(path) }
  }

  /// One `write` per line: a crash leaves whole lines.
  package func append(line: String) throws { try append(Array((line + "\n").utf8)) }

  /// All of it in one `write`, or nothing.
  package func append(_ bytes: [UInt8]) throws {
    let size = lseek(descriptor, 0, SEEK_END)
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count else {
      let error =
        written < 0 ? AtomicFile.failure(path) : FileError(path, "cannot be written: disk full")
      if written > 0 { ftruncate(descriptor, size) }
      throw error
    }
  }
}
