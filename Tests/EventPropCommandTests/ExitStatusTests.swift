// SPDX-License-Identifier: MIT

@testable import EventPropCommand
import Foundation
import Support
import Testing

/// The exit statuses are those that help and the article Files promise.
@Suite struct ExitStatusTests {
  let scratch = ScratchDirectory()

  func status(_ arguments: String...) throws -> Int32 {
    let result = try Program.run(arguments, in: scratch.path)
    #expect(result.hasEnded, "\(arguments)")
    return result.status
  }

  @Test func zeroWhenAllWentWell() throws {
    #expect(try status("--version") == 0)
    #expect(try status("--help") == 0)
    #expect(try status("help", "train") == 0)
    #expect(try status("presets") == 0)
    #expect(try status("presets", "check", "yin-yang-sum") == 0)
  }

  @Test func oneForErrorsAndBadAnswers() throws {
    #expect(try status("train", "no-such-preset") == 1)
    #expect(try status("evaluate", "nowhere") == 1)
    #expect(try status("train", "yin-yang-sum", "--set", "training.epochs=-1") == 1)
    let faulty = scratch.write("name = 3\n", to: "faulty.toml")
    #expect(try status("presets", "check", faulty) == 1)
    #expect(
      try status(
        "gradcheck", "yin-yang-sum", "--weights", "4", "--samples", "1", "--set",
        "hidden.0.size=10", "--tolerance", "1e-14") == 1)
  }

  @Test func sixtyFourForAWrongCommandLine() throws {
    #expect(try status("trian") == 64)
    #expect(try status("train", "yin-yang-sum", "--no-such-option") == 64)
    #expect(try status("train", "yin-yang-sum", "--threads", "0") == 64)
    #expect(try status("train", "yin-yang-sum", "--threads", "many") == 64)
    #expect(try status("train") == 64)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalIsAddedTo128(signal: Int32) throws {
    let run = scratch.file("run")
    let process = try Program.start(
      ["train", "yin-yang-sum", "--epochs", "10000", "--threads", "1", "--out", run],
      in: scratch.path)
    let metrics = run + "/metrics.csv"
    for _ in 0..<3000
    where ((try? Data(contentsOf: URL(fileURLWithPath: metrics)))?.count ?? 0) < 600 {
      usleep(10_000)
    }
    kill(process.processIdentifier, signal)
    #expect(Program.finish(process))
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 128 + signal)
    let checkpoints = try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints")
    #expect(!checkpoints.isEmpty)
  }

  /// Each status stands in both texts.
  @Test func bothTextsNameThemAll() throws {
    let help = try Program.run(["--help"], in: scratch.path).text
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let files = try String(
      contentsOf: Program.package.appendingPathComponent(
        "Sources/Workbench/Workbench.docc/Files.md"),
      encoding: .utf8)
    for status in ["0", "1", "64", "75", "128 + n"] {
      #expect(help.contains("\(status) ") && files.contains("| \(status) |"), "\(status)")
    }
    for word in ["gradcheck", "presets check", "bisect", "sweep task"] {
      #expect(help.contains(word) && files.contains(word), "\(word)")
    }
  }
}
