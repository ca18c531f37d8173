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
}
