// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Foundation

/// Keeps a run's folder to one process that trains into it. Held by the process, and gone with it,
/// however it ends.
final class RunLock: Sendable {
  private let run: String
  /// The folder itself, locked.
  private let descriptor: Int32

  /// - Throws: `FileError` with the number of the process that has it.
  init(_ run: String) throws {
    self.run = run
    descriptor = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileError(run, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    let file = (run as NSString).appendingPathComponent(".lock")
    if RunLock.take(descriptor) {
      // For others to read; without it the lock holds as well.
      let note = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
      if note >= 0 {
        let text = Array("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { write(note, $0.baseAddress, $0.count) }
        close(note)
      }
    } else if errno == EWOULDBLOCK {
      close(descriptor)
      let holder = RunLock.holder(file)
      throw FileError(
        run,
        "is being trained by \(holder.map { "process \($0)" } ?? "another process"); "
          + "look on with: eventprop watch \(run)")
    }
    // A file system without locks: as before there were any.
  }

  deinit { close(descriptor) }

  /// Whoever asks `isHeld` has the lock for an instant: that is waited for.
  private static func take(_ descriptor: Int32) -> Bool {
    for _ in 0..<5 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { return false }
      usleep(10_000)
    }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }

  /// Whether a process of this machine has a run at this moment.
  static func isHeld(_ run: String) -> Bool {
    let folder = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return false }
    defer { close(folder) }
    return flock(folder, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// The number of the process that has it, as far as `.lock` says.
  static func process(_ run: String) -> Int? {
    holder((run as NSString).appendingPathComponent(".lock"))
  }

  private static func holder(_ file: String) -> Int? {
    (try? FileText.read(file)).flatMap { Int($0.prefix { !$0.isNewline }) }
  }

  /// - Throws: `FileError` when the folder is no longer where it was.
  func check() throws {
    var (own, there) = (stat(), stat())
    guard fstat(descriptor, &own) == 0 else { return }
    if stat(run, &there) == 0, own.st_dev == there.st_dev, own.st_ino == there.st_ino { return }
    throw FileError(
      run, "the run's folder has been moved or deleted: nothing more can be kept of this training")
  }
}
