// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Synchronization

/// Reads HDF5 files in a process of its own: on damaged files libhdf5 crashes or goes round for
/// ever, and that must not end ours. The helper is this same program, called with `argument`; its
/// answer comes through a pipe.
public enum HDF5Helper {
  /// The first argument that asks the program to be a helper: `hdf5-helper PATH UNITS`, or
  /// `hdf5-helper PATH tree` for all of a file.
  public static let argument = "hdf5-helper"
  /// In the place of a number of units.
  public static let tree = "tree"

  private static let chosen = Mutex<String?>(nil)
  /// The program to call; nil reads in this process.
  public static var executable: String? {
    get { chosen.withLock { $0 } }
    set { chosen.withLock { $0 = newValue } }
  }

  /// Seconds of a processor that a file may take; a sound one takes a tenth of that.
  private static func limit(_ path: String) -> Int {
    var status = stat()
    let megabytes = stat(path, &status) == 0 ? Int(status.st_size) >> 20 : 0
    return min(2 + 2 * megabytes, 3600)
  }

  // MARK: - The helper's side

  /// Reads a file and writes what is in it, or what is wrong, to standard output.
  /// - Parameter units: channels of a file of spikes; nil: all of whatever file.
  public static func serve(path: String, units: Int?) -> Never {
    // An endless loop takes a processor; whoever asked may be gone by then. By the clock ten times
    // as long: the machine may be busy.
    let seconds = limit(path)
    var time = rlimit(rlim_cur: rlim_t(seconds), rlim_max: rlim_t(seconds + 1))
    setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &time)
    alarm(UInt32(10 * seconds + 5))
    var memory = rlimit(rlim_cur: 64 << 30, rlim_max: 64 << 30)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    do {
      guard let units else {
        let tree = try HDF5Node.readHere(path)
        write(bytes: [UInt8(ascii: "D")])
        write(tree)
        write(bytes: [UInt8(ascii: "E")])
        exit(0)
      }
      let data = try SHDFile(units: units).readHere(path)
      write(bytes: [UInt8(ascii: "D")])
      write(strings: data.classNames)
      write(array: [data.count, data.times.count, data.speakers.count])
      write(array: data.offsets)
      write(array: data.labels)
      write(array: data.speakers)
      write(array: data.units)
      write(array: data.times)
      write(bytes: [UInt8(ascii: "E")])
    } catch {
      write(bytes: [UInt8(ascii: "F")])
      write(strings: [(error as? FileError)?.message ?? "\(error)"])
    }
    exit(0)
  }

  private static func write<T>(array: [T]) {
    array.withUnsafeBytes { raw in
      var done = 0
      while done < raw.count {
        let count = Foundation.write(STDOUT_FILENO, raw.baseAddress! + done, raw.count - done)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { exit(1) }
        done += count
      }
    }
  }

  private static func write(bytes: [UInt8]) { write(array: bytes) }

  private static func write(strings: [String]) {
    write(array: [strings.count])
    for string in strings {
      write(array: [string.utf8.count])
      write(array: Array(string.utf8))
    }
  }

  private static func write(_ node: HDF5Node) {
    switch node {
    case .group(let members):
      write(array: [0])
      write(strings: members.keys.sorted())
      for name in members.keys.sorted() { write(members[name]!) }
    case .numbers(let shape, let values):
      write(array: [1, shape.count] + shape + [values.count])
      write(array: values)
    case .text(let shape, let values):
      write(array: [2, shape.count] + shape)
      write(strings: values)
    }
  }

  // MARK: - The caller's side

  static func read(_ path: String, units: Int, by program: String) throws -> SpikeDataSet {
    try ask(path, String(units), program) { try read($0, path, units) }
  }

  static func readTree(_ path: String, by program: String) throws -> HDF5Node {
    try ask(path, tree, program) { answer in
      guard try answer.bytes(1)[0] == UInt8(ascii: "D") else {
        throw FileError(path, try strings(answer).first ?? "cannot be read")
      }
      return try node(answer)
    }
  }

  private static func node(_ answer: Answer) throws -> HDF5Node {
    let kind = try answer.array(1, of: Int.self)[0]
    if kind == 0 {
      let names = try strings(answer)
      var members: [String: HDF5Node] = [:]
      for name in names { members[name] = try node(answer) }
      return .group(members)
    }
    let rank = try answer.array(1, of: Int.self)[0]
    let shape = try answer.array(rank, of: Int.self)
    if kind == 2 { return .text(shape: shape, try strings(answer)) }
    let count = try answer.array(1, of: Int.self)[0]
    return .numbers(shape: shape, try answer.array(count, of: Double.self))
  }

  private static func ask<Result>(
    _ path: String, _ what: String, _ program: String, _ body: (Answer) throws -> Result
  ) throws -> Result {
    if let obstacle = RegularFile.obstacle(path) { throw FileError(path, obstacle) }
    let seconds = limit(path)
    let answer = try Answer(path, [program, argument, path, what], seconds: 10 * seconds)
    defer { answer.close() }
    do {
      return try body(answer)
    } catch is Answer.Cut {
      let end = answer.end()
      if answer.isLate || end.signal == SIGALRM || end.signal == SIGXCPU {
        throw FileError(
          path, "libhdf5 did not come to an end with it in \(seconds) s: the file is damaged")
      }
      if end.signal != 0 {
        throw FileError(path, "libhdf5 crashed on it (signal \(end.signal)): the file is damaged")
      }
      throw FileError(path, "cannot be read: the reading process ended with status \(end.status)")
    }
  }

  private static func read(_ answer: Answer, _ path: String, _ units: Int) throws -> SpikeDataSet {
    guard try answer.bytes(1)[0] == UInt8(ascii: "D") else {
      throw FileError(path, try strings(answer).first ?? "cannot be read")
    }
    let classes = try strings(answer)
    let counts = try answer.array(3, of: Int.self)
    return try SpikeDataSet(
      name: (path as NSString).lastPathComponent, unitCount: units, classNames: classes,
      offsets: answer.array(counts[0] + 1, of: Int.self),
      labels: answer.array(counts[0], of: Int.self),
      speakers: answer.array(counts[2], of: Int.self),
      units: answer.array(counts[1], of: UInt16.self),
      times: answer.array(counts[1], of: Double.self))
  }

  private static func strings(_ answer: Answer) throws -> [String] {
    let count = try answer.array(1, of: Int.self)[0]
    return try (0..<count).map { _ in
      let length = try answer.array(1, of: Int.self)[0]
      return String(decoding: try answer.bytes(length), as: UTF8.self)
    }
  }

  /// What a helper says, as long as it says it in time.
  private final class Answer {
    /// The helper ended, or took too long.
    struct Cut: Error {}

    private let pipe: Int32
    private let process: pid_t
    private let deadline: ContinuousClock.Instant
    private(set) var isLate = false
    private var result: (status: Int32, signal: Int32)?

    init(_ path: String, _ arguments: [String], seconds: Int) throws {
      var ends: [Int32] = [-1, -1]
      guard Glibc.pipe(&ends) == 0, fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0,
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0
      else {
        throw FileError(path, "cannot be read: \(String(cString: strerror(errno)))")
      }
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
      // Threads of ours that spawn have signals blocked: the helper's clock must not be.
      var attributes = posix_spawnattr_t()
      posix_spawnattr_init(&attributes)
      var none = sigset_t()
      sigemptyset(&none)
      posix_spawnattr_setsigmask(&attributes, &none)
      posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
      var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
      words.append(nil)
      var child: pid_t = 0
      let failure = posix_spawn(&child, arguments[0], &actions, &attributes, words, environ)
      for word in words { free(word) }
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      Glibc.close(ends[1])
      guard failure == 0 else {
        Glibc.close(ends[0])
        throw FileError(
          path, "cannot be read: no helper process (\(String(cString: strerror(failure))))")
      }
      (pipe, process) = (ends[0], child)
      deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    }

    func bytes(_ count: Int) throws -> [UInt8] { try array(count, of: UInt8.self) }

    func array<T>(_ count: Int, of type: T.Type) throws -> [T] {
      guard count >= 0, count <= (8 << 30) / max(1, MemoryLayout<T>.stride) else { throw Cut() }
      return try [T](unsafeUninitializedCapacity: count) { buffer, initialized in
        let raw = UnsafeMutableRawBufferPointer(buffer)
        var done = 0
        while done < raw.count {
          try wait()
          let got = Glibc.read(pipe, raw.baseAddress! + done, raw.count - done)
          if got < 0 && errno == EINTR { continue }
          guard got > 0 else { throw Cut() }
          done += got
        }
        initialized = count
      }
    }

    private func wait() throws {
      while true {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        guard left > 0 else {
          isLate = true
          throw Cut()
        }
        var state = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        let ready = poll(&state, 1, Int32(min(left, 1000).rounded(.up)))
        if ready > 0 { return }
        if ready < 0 && errno != EINTR { throw Cut() }
      }
    }

    /// Ends the helper where it has not, and says how it ended.
    func end() -> (status: Int32, signal: Int32) {
      if let result { return result }
      if isLate { kill(process, SIGKILL) }
      // One that still writes is not waited for.
      closePipe()
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0 && errno == EINTR {}
      let ended = (status: (status >> 8) & 0xFF, signal: status & 0x7F)
      result = ended
      return ended
    }

    private var isPipeOpen = true

    private func closePipe() {
      if isPipeOpen { Glibc.close(pipe) }
      isPipeOpen = false
    }

    func close() {
      closePipe()
      if result == nil { kill(process, SIGKILL) }
      _ = end()
    }
  }
}
