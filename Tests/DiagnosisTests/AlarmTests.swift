// SPDX-License-Identifier: MIT

import Testing

@testable import Diagnosis

/// Alarms speak on effects: what matters, once it is beyond chance.
@Suite struct AlarmTests {
  typealias Edit = (inout EpochSigns) -> Void

  /// Kinds after each of some epochs, each a healthy one with something changed.
  func kinds(_ epochs: [Edit]) -> [[Alarm.Kind]] {
    var watch = AlarmWatch()
    return epochs.map { edit in
      var signs = EpochSigns()
      signs.loss = 1
      var layer = EpochSigns.LayerSigns(name: "hidden1", size: 10)
      layer.rate = 4
      signs.layers = [layer]
      signs.norms = [("input-hidden1", 1)]
      signs.classes = [("yin", 100, 0), ("yang", 100, 0)]
      (signs.observed, signs.updates, signs.probeSpikes) = (4, 160, 700)
      signs.duration = 1000
      edit(&signs)
      return watch.check(signs, lane: "a").map(\.kind)
    }
  }

  let fine: Edit = { _ in }

  @Test func healthIsQuiet() {
    #expect(kinds([fine, fine, fine]) == [[], [], []])
  }

  /// Four of ten neurons dead from the first draw on is no alarm, nor is half the rate.
  @Test func silenceAndCollapse() {
    #expect(kinds([{ $0.layers[0].dead = 5 }]) == [[]])
    #expect(kinds([{ $0.layers[0].dead = 8 }]) == [[.silentLayer]])
    #expect(kinds([{ $0.layers[0].dead = 10 }]) == [[.silentLayer]])
    #expect(
      kinds([fine, { $0.layers[0].rate = 2 }, { $0.layers[0].rate = 0.9 }]) == [
        [], [], [.collapse],
      ])
    // Against the most that it was, and over when it is back.
    #expect(
      kinds([fine, { $0.layers[0].rate = 20 }, fine, { $0.layers[0].rate = 6 }])
        == [[], [], [.collapse], []])
  }

  /// Created and deleted: beyond chance and beyond an effect size.
  @Test func deletions() {
    func deleting(_ rate: Double) -> Edit {
      {
        $0.deleted = 30
        $0.created = 5
        $0.layers[0].rate = rate
      }
    }
    #expect(
      kinds([fine, deleting(4), deleting(3.8), deleting(3.5)]) == [[], [], [], [.deleting]])
    // Without the effect, fewer spikes, it is none.
    #expect(kinds([fine, deleting(4), deleting(4), deleting(4)]).last == [])
    #expect(kinds([deleting(4), fine, deleting(3), deleting(3)]).last == [])
    // Deleting from the first epoch on.
    #expect(kinds([deleting(4), deleting(3.8), deleting(3)]).last == [.deleting])
    // 11 against 10 three times is chance; 5 against 0 of a million spikes is no effect.
    let chance: Edit = {
      $0.deleted = 11
      $0.created = 10
    }
    #expect(kinds([chance, chance, chance]).last == [])
    let small: Edit = {
      $0.deleted = 5
      $0.probeSpikes = 1_000_000
    }
    #expect(kinds([small, small, small]).last == [])
  }

  @Test func opposition() {
    func opposed(_ size: Double) -> Edit {
      {
        $0.predicted = -size
        $0.actual = size
      }
    }
    #expect(kinds([opposed(0.1), opposed(0.1), opposed(0.1)]) == [[], [], [.opposed]])
    #expect(kinds([opposed(0.001), opposed(0.001), opposed(0.001)]).last == [])
  }

  @Test func muteOutputs() {
    let some: Edit = { $0.classes[1].mute = 25 }
    let half: Edit = { $0.classes[1].mute = 60 }
    #expect(kinds([some, some, fine]) == [[], [.muteOutputs], []])
    #expect(kinds([half]) == [[.muteOutputs]])
  }

  /// Raised at nine tenths, over below three quarters.
  @Test func lateGradients() {
    func late(_ share: Double, spikes: Double = 0.1) -> Edit {
      {
        $0.layers[0].gradientByTenth = [1 - share] + Array(repeating: 0, count: 8) + [share]
        $0.layers[0].spikesByTenth = [1 - spikes] + Array(repeating: 0, count: 8) + [spikes]
      }
    }
    #expect(
      kinds([late(0.8), late(0.95), late(0.8), late(0.7), late(0.8)])
        == [[], [.lateGradient], [.lateGradient], [], []])
    // Where the spikes are late too, so may the gradient be.
    #expect(kinds([late(0.95, spikes: 0.9)]) == [[]])
  }

  @Test func gradientsAndNumbers() {
    #expect(kinds([fine, { $0.norms[0].norm = 1e-7 }]).last == [.vanishing])
    #expect(kinds([fine, { $0.norms[0].norm = 1e4 }]).last == [.exploding])
    #expect(kinds([{ $0.loss = .nan }]) == [[.notANumber]])
    #expect(kinds([{ $0.layers[0].saturated = 1 }]) == [[.saturated]])
  }

  /// A watch that was kept in a checkpoint goes on as it was.
  @Test func watchesReadBack() throws {
    var watch = AlarmWatch()
    var signs = EpochSigns()
    signs.layers = [EpochSigns.LayerSigns(name: "hidden1", size: 10)]
    signs.layers[0].rate = 3
    signs.norms = [("a", 1), ("b", 2)]
    (signs.deleted, signs.created, signs.predicted, signs.actual) = (5, 2, -1, 0.5)
    _ = watch.check(signs, lane: "a")
    let again = try #require(AlarmWatch(numbers: watch.numbers))
    #expect(again.numbers == watch.numbers)
    #expect(AlarmWatch(numbers: [1, 2]) == nil)
    // What an exploding run came to is kept and read back too.
    signs.norms = [("a", 1e40), ("b", 1e308)]
    let exploding = watch.check(signs, lane: "a")
    #expect(exploding.contains { $0.kind == .exploding && $0.text.contains("e+40") })
    #expect(AlarmWatch(numbers: watch.numbers)?.numbers == watch.numbers)
    signs.actual = .infinity
    for _ in 0..<4 { _ = watch.check(signs, lane: "a") }
    #expect(AlarmWatch(numbers: watch.numbers) != nil)
    #expect(AlarmWatch(numbers: [0, 0, 0, 0, 0, 0, 0, 0, 0, 5]) == nil)
  }

  @Test func recordsJoinEpochsInARow() {
    var records: [AlarmRecord] = []
    let alarm = Alarm(.deleting, lane: "a", "some")
    records.note([alarm], epoch: 3)
    records.note([alarm], epoch: 4)
    records.note([], epoch: 5)
    records.note([alarm, Alarm(.opposed, lane: "a", "more")], epoch: 6)
    #expect(records.map { [$0.first, $0.last] } == [[3, 4], [6, 6], [6, 6]])
  }
}
