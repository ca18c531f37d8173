// SPDX-License-Identifier: MIT

import Foundation

/// The program under test, as a process.
public enum Program {
  /// Beside the test bundle; EVENTPROP_PROGRAM names another one, as a release build for long
  /// campaigns.
  public static let path: String = {
    if let named = ProcessInfo.processInfo.environment["EVENTPROP_PROGRAM"] {
      return URL(fileURLWithPath: named).path
    }
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    if !FileManager.default.fileExists(atPath: folder.appendingPathComponent("eventprop").path) {
      folder = package.appendingPathComponent(".build/debug")
    }
    return folder.appendingPathComponent("eventprop").path
  }()

  public static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  public static let presets = package.appendingPathComponent("Presets").path

  /// Starts it in a folder; what it prints goes to a file there.
  public static func start(
    _ arguments: [String], in folder: String, environment: [String: String] = [:],
    output: String = "/dev/null"
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["EVENTPROP_PRESETS": presets]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    if output != "/dev/null" {
      _ = FileManager.default.createFile(atPath: output, contents: nil)
    }
    let file = FileHandle(forWritingAtPath: output)
    process.standardOutput = file
    process.standardError = file
    try process.run()
    return process
  }

  /// Waits for the end; what is still running after so many seconds is killed.
  /// - Returns: whether it ended by itself.
  public static func finish(_ process: Process, seconds: Double = 60) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning, Date() < deadline { usleep(2000) }
    let hasEnded = !process.isRunning
    if !hasEnded { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return hasEnded
  }

  /// Runs it to its end.
  public static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = [:],
    seconds: Double = 60
  ) throws -> (status: Int32, text: String, hasEnded: Bool) {
    let output = folder + "/output-\(UUID().uuidString)"
    defer { unlink(output) }
    let process = try start(arguments, in: folder, environment: environment, output: output)
    let hasEnded = finish(process, seconds: seconds)
    let text = String(
      decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
    return (process.terminationStatus, text, hasEnded)
  }
}
