// SPDX-License-Identifier: MIT

@testable import EventPropCore
import Testing

@testable import Diagnosis

@Suite struct MatchingTests {
  func train(_ random: inout Random, most: Int = 12) -> [Double] {
    (0..<random.index(below: most + 1)).map { _ in 40 * random.uniform() }.sorted()
  }

  /// The cheapest of all ways to pair spikes in order of time, by trying each.
  func cheapest(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>, _ reach: Double) -> Double {
    guard let x = a.first else { return Double(b.count) * reach / 2 }
    guard let y = b.first else { return Double(a.count) * reach / 2 }
    return min(
      cheapest(a.dropFirst(), b.dropFirst(), reach) + abs(x - y),
      min(cheapest(a.dropFirst(), b, reach), cheapest(a, b.dropFirst(), reach)) + reach / 2)
  }

  @Test func randomTrains() {
    var random = Random(seed: 4, "matching")
    for _ in 0..<2000 {
      let (a, b) = (train(&random), train(&random))
      let matching = SpikeMatching(before: a, after: b, reach: 5)
      // Every spike is accounted for once.
      #expect(matching.moved.count + matching.deleted.count == a.count)
      #expect(matching.moved.count + matching.created.count == b.count)
      #expect(Set(matching.moved.map(\.before) + matching.deleted).count == a.count)
      #expect(Set(matching.moved.map(\.after) + matching.created).count == b.count)
      // In order of time, within reach.
      for (p, q) in zip(matching.moved, matching.moved.dropFirst()) {
        #expect(p.before < q.before && p.after < q.after)
      }
      for (i, j) in matching.moved { #expect(abs(a[i] - b[j]) <= 5) }
      // Swapped trains: created and deleted change places, pairs stay.
      let swapped = SpikeMatching(before: b, after: a, reach: 5)
      #expect(swapped.created == matching.deleted && swapped.deleted == matching.created)
      #expect(swapped.moved.map(\.before) == matching.moved.map(\.after))
      // Identical trains give nothing.
      let same = SpikeMatching(before: a, after: a, reach: 5)
      #expect(same.created.isEmpty && same.deleted.isEmpty && same.cost == 0)
      #expect(same.moved.allSatisfy { $0.before == $0.after })
    }
  }

  @Test func noPairingIsCheaper() {
    var random = Random(seed: 5, "matching")
    for _ in 0..<200 {
      let (a, b) = (train(&random, most: 6), train(&random, most: 6))
      let matching = SpikeMatching(before: a, after: b, reach: 8)
      #expect(abs(matching.cost - cheapest(a[...], b[...], 8)) < 1e-9)
    }
  }

  /// Trains of thousands, as exploded weights give: in pieces, and what holds for whole ones holds.
  @Test func endlessTrainsAreCut() {
    let a = (0..<20_000).map { Double($0) * 0.002 }
    let same = SpikeMatching(before: a, after: a, reach: 5)
    #expect(same.created.isEmpty && same.deleted.isEmpty && same.moved.count == a.count)
    let later = SpikeMatching(before: a, after: a.map { $0 + 0.0005 }, reach: 5)
    #expect(later.created.isEmpty && later.deleted.isEmpty && abs(later.cost - 10) < 1e-6)
    let fewer = SpikeMatching(before: a, after: Array(a.dropLast(7000)), reach: 5)
    #expect(fewer.deleted.count == 7000 && fewer.created.isEmpty)
    #expect(fewer.moved.allSatisfy { $0.before == $0.after })
  }

  @Test func oneSpikeMovesOrIsAnother() {
    let moved = SpikeMatching(before: [10], after: [14], reach: 5)
    #expect(moved.moved.count == 1 && moved.created.isEmpty && moved.deleted.isEmpty)
    let other = SpikeMatching(before: [10], after: [16], reach: 5)
    #expect(other.moved.isEmpty && other.created == [0] && other.deleted == [0])
    // The first of three goes: the others are recognised.
    let first = SpikeMatching(before: [1, 10, 20], after: [10.1, 19.9], reach: 5)
    #expect(first.deleted == [0] && first.moved.map(\.before) == [1, 2])
  }

  @Test func ledgersAddUp() {
    let network = Network(
      inputs: 1, layers: [Layer(size: 3), Layer(size: 2, neuron: .li)])
    func spikes(_ list: [(Int, Double)]) -> TrialSpikes {
      [list.map { LayerSpike(neuron: $0.0, time: $0.1, slope: 1) }, []]
    }
    let ledger = Ledger(
      network, before: [spikes([(0, 1), (1, 5), (2, 9)]), spikes([(0, 3)])],
      after: [spikes([(0, 1), (1, 6)]), spikes([(0, 3), (2, 4)])], reach: 5)
    let layer = ledger.layers[0]
    #expect(layer.unchanged == 2 && layer.moved == 1 && layer.created == 1 && layer.deleted == 1)
    #expect(layer.meanShift == 1.0 / 3)
    #expect(ledger.events.map(\.trial) == [0, 1])
    #expect(ledger.events.map(\.kind) == [.deleted, .created])
  }
}
