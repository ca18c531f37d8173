// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// A call that changes a file fails, does half its work, or is the last before a kill: each in
/// turn. The program says so or ends, and the run goes on to the same bits.
@Suite struct FaultTests {
  let scratch = ScratchDirectory()

  private func shim() throws -> String {
    let source = Program.package.appendingPathComponent("Tests/CampaignTests/faults.c").path
    let library = scratch.file("faults.so")
    let clang = Process()
    clang.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    clang.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
    try clang.run()
    clang.waitUntilExit()
    try #require(clang.terminationStatus == 0, "clang, which comes with Swift, builds \(source)")
    return library
  }

  private func train(
    _ library: String, _ arguments: [String], at: Int, kind: String, errno: Int32 = ENOSPC
  ) throws -> (status: Int32, text: String, hasEnded: Bool) {
    try Program.run(
      arguments, in: scratch.path,
      environment: [
        "LD_PRELOAD": library, "FAULT_AT": "\(at)", "FAULT_KIND": kind, "FAULT_ERRNO": "\(errno)",
        "FAULT_COUNT": scratch.file("count"),
      ])
  }

  @Test func callsThatFail() throws {
    let library = try shim()
    let expected = try Campaign.reference(scratch)
    let begin = Campaign.training + ["--out", "run"]
    let quiet = try train(library, begin, at: -1, kind: "error")
    try #require(quiet.status == 0, "\(quiet.text)")
    let count = try #require(
      Int(
        String(contentsOfFile: scratch.file("count"), encoding: .utf8).trimmingCharacters(
          in: .whitespacesAndNewlines)))
    try #require(count > 100)
    let faults = Campaign.budget("FAULTS", small: 12)
    var random = Random(seed: Campaign.seed, "faults")
    var lost = 0
    for fault in 0..<faults {
      try? FileManager.default.removeItem(atPath: scratch.file("run"))
      // All calls in turn where the budget is large enough, else any.
      let at = faults >= count ? fault % count + 1 : 1 + random.index(below: count)
      let kind = ["kill", "error", "short"][random.index(below: 3)]
      let number = [ENOSPC, EIO, EDQUOT][random.index(below: 3)]
      // A fifth of them strike a resumed run.
      if random.index(below: 5) == 0 {
        let first = try Program.start(begin, in: scratch.path)
        usleep(UInt32(random.index(below: 300_000)))
        kill(first.processIdentifier, SIGTERM)
        _ = Program.finish(first)
      }
      let isBegun = FileManager.default.fileExists(atPath: scratch.file("run/preset.toml"))
      let struck = try train(
        library, isBegun ? ["train", "--resume", "run"] : begin, at: at, kind: kind, errno: number)
      let place = "seed \(Campaign.seed), fault \(fault): \(kind) at call \(at) of \(count)"
      if kind == "error" {
        // What goes on all the same was nothing that matters; what does not says why.
        #expect(
          struck.hasEnded && (struck.status == 0 || struck.text.contains("Error: ")),
          "\(place): \(struck.text)")
      }
      if let problem = try Campaign.complete(scratch, expected) {
        lost += 1
        Issue.record("\(place): \(problem)")
      }
    }
    print("faults: \(faults) in \(count) calls, runs lost: \(lost)")
  }
}
