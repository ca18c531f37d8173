// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Foundation

/// SVG to PDF by librsvg's program, where it is installed.
struct PDFConverter {
  private static let program = "rsvg-convert"

  /// - Parameter path: of the PDF, for messages; nothing is written there.
  /// - Throws: `FileError` where the program is not found, or fails.
  func pdf(ofSVG svg: String, _ path: String) throws -> Data {
    guard let program = Self.find() else {
      throw FileError(
        path,
        "\(Self.program) makes PDF and is not installed: sudo apt-get install librsvg2-bin; .svg needs nothing"
      )
    }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("eventprop-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, result) = (
      folder.appendingPathComponent("figure.svg"), folder.appendingPathComponent("figure.pdf")
    )
    let messages = folder.appendingPathComponent("messages")
    try Data(svg.utf8).write(to: source)
    try Data().write(to: messages)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["--format=pdf", "--output=\(result.path)", source.path]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: messages)
    do {
      try process.run()
    } catch {
      throw FileError(path, "\(program) cannot be started")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0, let pdf = try? Data(contentsOf: result), !pdf.isEmpty
    else {
      let said = (try? String(contentsOf: messages, encoding: .utf8)) ?? ""
      let line = said.split(separator: "\n").first.map { ": \($0)" } ?? ""
      throw FileError(path, "\(program) ended with status \(process.terminationStatus)\(line)")
    }
    return pdf
  }

  /// The first of that name in PATH that can be run.
  private static func find() -> String? {
    let paths = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return paths.split(separator: ":").map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
