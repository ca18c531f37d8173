import Foundation

/// Keeps a run's folder to one process that trains into it. Held by the process, and gone with it, however it ends.
final class RunLock: Sendable {
  private let run: String
  private let file: String
  private let descriptor: Int32

  /// - Throws: `RunError` with the number of the process that has it.
  init(_ run: String) throws {
    self.run = run
    file = (run as NSString).appendingPathComponent(".lock")
    descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.failure(file) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
      let text = Array("\(getpid())\n".utf8)
      ftruncate(descriptor, 0)
      _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    } else if errno == EWOULDBLOCK {
      let holder = RunLock.holder(descriptor)
      close(descriptor)
      throw RunError(
        run,
        "is being trained by \(holder.map { "process \($0)" } ?? "another process"); "
          + "look on with: eventprop open --watch \(run)")
    }
    // A file system without locks: as before there were any.
  }

  deinit { close(descriptor) }

  private static func holder(_ descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int(String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
  }

  /// - Throws: `RunError` when the folder is no longer where it was.
  func check() throws {
    var (own, there) = (stat(), stat())
    guard fstat(descriptor, &own) == 0 else { return }
    if stat(file, &there) == 0, own.st_dev == there.st_dev, own.st_ino == there.st_ino { return }
    throw RunError(
      run, "the run's folder has been moved or deleted: nothing more can be kept of this training")
  }
}
