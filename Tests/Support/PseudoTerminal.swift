// SPDX-License-Identifier: MIT

import Foundation

/// A pseudo-terminal with the program on its far side.
public final class PseudoTerminal {
  public let primary: Int32
  public let secondary: Int32
  public let process = Process()
  public private(set) var seen = ""
  private var isOpen = true

  public init(_ arguments: [String], folder: String, environment: [String: String] = [:]) throws {
    var (primary, secondary): (Int32, Int32) = (0, 0)
    var size = winsize(ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&primary, &secondary, nil, nil, &size) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    self.primary = primary
    self.secondary = secondary
    _ = fcntl(primary, F_SETFL, O_NONBLOCK)
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["TERM": "xterm-256color", "EVENTPROP_PRESETS": Program.presets, "LANG": "C.UTF-8"]
    ) { $1 }.merging(environment) { $1 }
    let far = FileHandle(fileDescriptor: secondary, closeOnDealloc: false)
    process.standardInput = far
    process.standardOutput = far
    process.standardError = FileHandle.nullDevice
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    close()
    Glibc.close(secondary)
  }

  public func close() {
    if isOpen { Glibc.close(primary) }
    isOpen = false
  }

  public var modes: [UInt32] {
    var state = termios()
    tcgetattr(secondary, &state)
    return [state.c_iflag, state.c_oflag, state.c_cflag, state.c_lflag]
  }

  /// Reads what has come so far.
  public func drain() {
    guard isOpen else { return }
    var buffer = Array(repeating: UInt8(0), count: 65_536)
    while true {
      let count = read(primary, &buffer, buffer.count)
      if count <= 0 { return }
      seen += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  public func send(_ text: String) { _ = text.withCString { write(primary, $0, strlen($0)) } }

  /// Waits until a text has appeared since the last call to `forget`.
  public func wait(for text: String) -> Bool {
    for _ in 0..<6000 {
      drain()
      if seen.contains(text) { return true }
      usleep(5000)
    }
    return false
  }

  /// Waits until something holds.
  public func wait(until isSo: () -> Bool) -> Bool {
    for _ in 0..<6000 {
      drain()
      if isSo() { return true }
      usleep(5000)
    }
    return false
  }

  /// What the kernel says of its signals: pending, blocked, ignored, caught.
  public var signalState: String {
    let status = try? String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let lines = (status ?? "").split(separator: "\n").filter {
      $0.contains("Sig") || $0.contains("Shd")
    }
    return lines.joined(separator: ", ")
  }

  /// The kernel's letter for the process: R, S, T...
  public var state: Character? {
    let stat = try? String(
      contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
    return stat?.split(separator: ")").last?.dropFirst().first
  }

  public func forget() {
    drain()
    seen = ""
  }

  public func waitForEnd() -> Bool {
    for _ in 0..<6000 where process.isRunning {
      drain()
      usleep(5000)
    }
    return !process.isRunning
  }
}
