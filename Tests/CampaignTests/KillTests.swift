// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// SIGKILL at random instants: whenever it comes, the run goes on to the same bits.
@Suite struct KillTests {
  @Test func killsAtRandomInstants() throws {
    let scratch = ScratchDirectory()
    let expected = try Campaign.reference(scratch)
    let started = Date()
    _ = try Program.run(Campaign.training + ["--out", "timed"], in: scratch.path)
    let length = Date().timeIntervalSince(started)
    var random = Random(seed: Campaign.seed, "kills")
    let kills = Campaign.budget("KILLS", small: 6)
    var (done, lost) = (0, 0)
    while done < kills {
      try? FileManager.default.removeItem(atPath: scratch.file("run"))
      // One to three kills a run, each anywhere in what a run takes.
      for _ in 0..<(1 + random.index(below: 3)) where done < kills {
        let isBegun = FileManager.default.fileExists(atPath: scratch.file("run/preset.toml"))
        let process = try Program.start(
          isBegun ? ["train", "--resume", "run"] : Campaign.training + ["--out", "run"],
          in: scratch.path)
        usleep(UInt32(1e6 * length * random.uniform(0, 1.1)))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        done += 1
      }
      if let problem = try Campaign.complete(scratch, expected) {
        lost += 1
        Issue.record("seed \(Campaign.seed), after kill \(done): \(problem)")
      }
    }
    print("kills: \(done), runs lost: \(lost)")
  }

  /// The same of the workbench: keys that look but change nothing (n and N train beyond the last
  /// epoch), then SIGKILL, a closed window or SIGTERM.
  @Test func killsOfTheWorkbench() throws {
    let scratch = ScratchDirectory()
    let expected = try Campaign.reference(scratch)
    let started = Date()
    _ = try Program.run(Campaign.training + ["--out", "timed"], in: scratch.path)
    let length = Date().timeIntervalSince(started)
    var random = Random(seed: Campaign.seed, "kills of the workbench")
    let kills = Campaign.budget("SCREENKILLS", small: 3)
    var (lost, begun) = (0, 0)
    let keys = Array("12345678c[].pPy?\u{1B} G\t")
    for done in 0..<kills {
      try? FileManager.default.removeItem(atPath: scratch.file("run"))
      for _ in 0..<(1 + random.index(below: 2)) {
        let isBegun = FileManager.default.fileExists(atPath: scratch.file("run/preset.toml"))
        let terminal = try PseudoTerminal(
          isBegun
            ? ["open", "run"]
            : ["open"] + Campaign.training.dropFirst() + ["--out", "run"],
          folder: scratch.path)
        try terminal.process.run()
        let end = Date(timeIntervalSinceNow: length * random.uniform(0.2, 1.6))
        while Date() < end, terminal.process.isRunning {
          terminal.drain()
          terminal.send(String(keys[random.index(below: keys.count)]))
          usleep(UInt32(random.index(below: 40_000)))
        }
        switch random.index(below: 4) {
        case 0: terminal.close()
        case 1: kill(terminal.process.processIdentifier, SIGTERM)
        default: kill(terminal.process.processIdentifier, SIGKILL)
        }
        guard Program.finish(terminal.process, seconds: 30) else {
          Issue.record("seed \(Campaign.seed), session \(done): does not end")
          return
        }
      }
      begun += FileManager.default.fileExists(atPath: scratch.file("run/preset.toml")) ? 1 : 0
      if let problem = try Campaign.complete(scratch, expected) {
        lost += 1
        let log = try? String(contentsOfFile: scratch.file("run/commands.jsonl"), encoding: .utf8)
        Issue.record("seed \(Campaign.seed), session \(done): \(problem); \(log ?? "no log")")
      }
    }
    #expect(begun > 0, "no session came to train")
    print("workbench sessions killed: \(kills), after the first file: \(begun), lost: \(lost)")
  }
}
