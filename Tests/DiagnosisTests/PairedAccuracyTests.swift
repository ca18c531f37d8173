// SPDX-License-Identifier: MIT

import Diagnosis
import Testing

@Suite struct PairedAccuracyTests {
  /// 21 against 13 of 1000: by hand (and scipy's binomtest) p = 0.2295.
  @Test func countsAndTestsByHand() throws {
    let labels = Array(repeating: 1, count: 1000)
    let first = (0..<1000).map { $0 < 21 ? 0 : 1 }
    let second = (0..<1000).map { (21..<34).contains($0) ? 0 : 1 }
    let pair = try #require(PairedAccuracy(labels: labels, first: first, second: second))
    #expect(pair.secondAlone == 21 && pair.firstAlone == 13)
    #expect(abs(pair.points - 0.8) < 1e-12)
    // sqrt(34 - 64/1000)/1000
    #expect(abs(pair.standardError - 0.58255) < 1e-4)
    #expect(abs(pair.p - 0.22948) < 1e-4)
  }

  @Test func equalNetworksDoNotDiffer() throws {
    let pair = try #require(PairedAccuracy(labels: [0, 1], first: [0, 0], second: [0, 0]))
    #expect(pair.points == 0 && pair.standardError == 0 && pair.p == 1)
    #expect(PairedAccuracy(labels: [0, 1], first: [0], second: [0, 1]) == nil)
    #expect(PairedAccuracy(labels: [], first: [], second: []) == nil)
  }

  /// One sample right in one alone proves nothing; ten of ten nearly do.
  @Test func smallCounts() throws {
    func p(_ alone: Int) throws -> Double {
      let pair = try #require(
        PairedAccuracy(
          labels: Array(repeating: 0, count: 20), first: Array(repeating: 0, count: 20),
          second: (0..<20).map { $0 < alone ? 1 : 0 }))
      return pair.p
    }
    #expect(abs(try p(1) - 1) < 1e-12)
    #expect(abs(try p(10) - 2.0 / 1024) < 1e-12)
  }
}
