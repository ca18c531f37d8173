// SPDX-License-Identifier: MIT

import Foundation

/// Python, for what its packages say of our files; EVENTPROP_PYTHON names one that has them.
enum Python {
  static let name = ProcessInfo.processInfo.environment["EVENTPROP_PYTHON"] ?? "python3"

  static func run(_ code: String, _ arguments: String...) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name, "-c", code] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
