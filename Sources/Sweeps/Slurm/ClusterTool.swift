// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// A program of a cluster's engine: `sbatch`, `squeue`.
struct ClusterTool {
  let name: String
  let path: String

  /// nil where PATH has no such program.
  init?(_ name: String) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = folders.map { (String($0) as NSString).appendingPathComponent(name) }
    guard let path = paths.first(where: { access($0, X_OK) == 0 }) else { return nil }
    (self.name, self.path) = (name, path)
  }

  /// - Parameter seconds: after which it is ended.
  /// - Returns: exit status, standard output and standard error, without line ends around them.
  /// - Throws: `FileError` when it cannot be started, or does not end.
  func run(_ arguments: [String], seconds: Double = 60) throws -> (
    status: Int32, output: String, error: String
  ) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    // Files: a pipe that nobody empties would stop it.
    let files = (0..<2).map { _ in
      (NSTemporaryDirectory() as NSString).appendingPathComponent("eventprop-\(UUID().uuidString)")
    }
    defer { for file in files { unlink(file) } }
    for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: files[0])
    process.standardError = FileHandle(forWritingAtPath: files[1])
    do {
      try process.run()
    } catch {
      throw FileError(name, "cannot be started: \(error.localizedDescription)")
    }
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning, Date() < deadline { usleep(10_000) }
    guard !process.isRunning else {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      throw FileError(name, "does not answer")
    }
    let texts = files.map {
      String(decoding: FileManager.default.contents(atPath: $0) ?? Data(), as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return (process.terminationStatus, texts[0], texts[1])
  }
}
