// SPDX-License-Identifier: MIT

import EventPropCore
import Support
import Testing

@testable import SpikeData

@Suite struct YinYangTests {
  @Test func geometry() {
    #expect(YinYang.label(0.25, 0.5) == 2)
    #expect(YinYang.label(0.75, 0.5) == 2)
    #expect(YinYang.label(0.5, 0.9) == 0)
    #expect(YinYang.label(0.5, 0.1) == 1)
    #expect(YinYang.label(0.01, 0.01) == nil)
    // Point symmetry about the centre swaps yin and yang.
    var random = Random(seed: 1, "symmetry")
    for _ in 0..<500 {
      let (x, y) = (random.uniform(), random.uniform())
      guard let label = YinYang.label(x, y) else { continue }
      #expect(YinYang.label(1 - x, 1 - y) == (label == 2 ? 2 : 1 - label))
    }
  }

  @Test func samplesAreBalancedSortedAndRepeatable() {
    let source = YinYang(early: 2, late: 20, bias: 1)
    let data = source.generate(3000, seed: 4, purpose: "test")
    let again = source.generate(3000, seed: 4, purpose: "test")
    #expect(data.times == again.times && data.labels == again.labels)
    for label in 0..<3 { #expect(abs(data.labels.count { $0 == label } - 1000) < 100) }
    for sample in 0..<100 {
      let train = data[sample]
      #expect(train.times == train.times.sorted())
      #expect(Set(train.units) == Set(0..<5))
      #expect(train.times.allSatisfy { $0 >= 1 && $0 <= 20 })
    }
  }
}

@Suite struct SpokenDigitsTests {
  @Test func looksLikeSHD() {
    let (train, test) = SpokenDigits().generate(train: 200, test: 100, seed: 1)
    let mean = Double(train.times.count) / 200
    #expect(mean > 6500 && mean < 9500, "\(mean) spikes per sample")
    #expect(train.times.allSatisfy { $0 >= 0 && $0 < 1000 })
    #expect(train.units.allSatisfy { $0 < 700 })
    #expect(Set(train.speakers) == Set(0..<10))
    #expect(Set(test.speakers).isSuperset(of: [10, 11]))
    #expect(test.speakers.count { $0 >= 10 } == 60)
    for label in 0..<20 { #expect(train.labels.count { $0 == label } == 10) }
    for sample in 0..<20 {
      let times = train[sample].times
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }
    let again = SpokenDigits().generate(train: 200, test: 100, seed: 1).train
    #expect(again.times == train.times)
    #expect(SpokenDigits().generate(train: 3, test: 1, seed: 2).train.times != train[0].times)
  }

  /// Nearest class mean of coarse spectra: well above chance, worse on unseen speakers.
  @Test func wordsCanBeToldApartButSpeakersMatter() {
    let (train, test) = SpokenDigits().generate(train: 400, test: 200, seed: 1)
    func spectrum(_ data: SpikeDataSet, _ sample: Int) -> [Double] {
      var bins = Array(repeating: 0.0, count: 35 * 10)
      let spikes = data[sample]
      let start = spikes.times.first ?? 0
      for (time, unit) in zip(spikes.times, spikes.units) {
        bins[Int(unit) / 20 * 10 + min(9, Int((time - start) / 80))] += 1
      }
      let norm = bins.reduce(0) { $0 + $1 }
      return bins.map { ($0 / norm).squareRoot() }
    }
    var means = Array(repeating: Array(repeating: 0.0, count: 350), count: 20)
    for sample in 0..<train.count {
      for (k, value) in spectrum(train, sample).enumerated() {
        means[train.labels[sample]][k] += value / 20
      }
    }
    func accuracy(_ include: (Int) -> Bool) -> Double {
      let chosen = (0..<test.count).filter { include(test.speakers[$0]) }
      let right = chosen.count { sample in
        let own = spectrum(test, sample)
        let distances = means.map { zip($0, own).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        return distances.indices.min { distances[$0] < distances[$1] } == test.labels[sample]
      }
      return Double(right) / Double(chosen.count)
    }
    let seen = accuracy { $0 < 10 }
    let unseen = accuracy { $0 >= 10 }
    #expect(seen > 0.4, "seen \(seen)")
    #expect(unseen > 0.1, "unseen \(unseen)")
    #expect(unseen < seen, "seen \(seen), unseen \(unseen)")
  }
}

@Suite struct AugmentationTests {
  static let train = SpikeTrain(
    times: (0..<2000).map { Double($0) / 4 }, units: (0..<2000).map { UInt16($0 * 7 % 100) })

  func apply(_ augmentation: Augmentation, other: SpikeTrain? = nil, seed: Int = 1) -> SpikeTrain {
    var random = Random(seed: seed, "augment")
    var result = SpikeTrain()
    Self.train.withView { view in
      (other ?? Self.train).withView {
        augmentation.apply(
          view, other: $0, units: 100, duration: 100, random: &random, into: &result)
      }
    }
    return result
  }

  @Test func noneChangesNothing() {
    #expect(apply(Augmentation()) == Self.train)
    #expect(Augmentation().isNone)
  }

  @Test func shiftMovesAllUnitsTogether() {
    var augmentation = Augmentation()
    augmentation.shift = 10
    let moves = (0..<40).map { seed -> Int in
      let result = apply(augmentation, seed: seed)
      #expect(result.units.allSatisfy { $0 < 100 })
      let lookup = Dictionary(zip(Self.train.times, Self.train.units)) { a, _ in a }
      let differences = Set(zip(result.times, result.units).map { Int($1) - Int(lookup[$0]!) })
      #expect(differences.count == 1)
      return differences.first!
    }
    #expect(moves.allSatisfy { abs($0) <= 10 })
    #expect(Set(moves).count > 10)
  }

  @Test func dropDilateAndJitter() {
    var augmentation = Augmentation()
    augmentation.drop = 0.25
    #expect(abs(apply(augmentation).count - 1500) < 100)
    augmentation = Augmentation()
    augmentation.dilate = (2, 2)
    #expect(apply(augmentation).times == Self.train.times.map { $0 * 2 })
    augmentation = Augmentation()
    augmentation.jitter = 5
    let jittered = apply(augmentation)
    #expect(jittered.count == 2000)
    #expect(jittered.times == jittered.times.sorted())
    #expect(jittered.times != Self.train.times)
  }

  @Test func blendTakesFromBoth() {
    var augmentation = Augmentation()
    augmentation.blend = 0.5
    let other = SpikeTrain(times: Self.train.times, units: Self.train.units.map { 99 - $0 })
    let result = apply(augmentation, other: other)
    #expect(abs(result.count - 2000) < 150)
    #expect(result.times == result.times.sorted())
  }

  /// In the middle between both: own spikes move too; without `common` they stay.
  @Test func blendedSamplesMeetInTheMiddle() {
    var augmentation = Augmentation()
    augmentation.blend = 0.5
    augmentation.blendTo = .common
    let (own, other) = (
      SpikeTrain(times: [10, 20], units: [10, 20]), SpikeTrain(times: [40, 50], units: [50, 62])
    )
    var units: Set<Double> = []
    var times: Set<Double> = []
    for seed in 0..<40 {
      var random = Random(seed: seed, "common")
      var result = SpikeTrain()
      own.withView { a in
        other.withView { b in
          augmentation.apply(
            a, other: b, units: 100, duration: 100, random: &random, into: &result)
        }
      }
      units.formUnion(result.units.map(Double.init))
      times.formUnion(result.times)
    }
    // Means 15 and 56 of units, 15 and 45 of times: 21 (20.5 rounded) and 15 towards each other.
    #expect(units == [31, 41, 29, 41])
    #expect(times == [25, 35])
  }

  @Test func channelJitterIsNormal() {
    var augmentation = Augmentation()
    augmentation.channelJitter = 3
    let result = apply(augmentation)
    let lookup = Dictionary(zip(Self.train.times, Self.train.units)) { a, _ in a }
    let moves = zip(result.times, result.units).map { Double($1) - Double(lookup[$0]!) }
    let mean = moves.reduce(0, +) / Double(moves.count)
    let sd = (moves.reduce(0) { $0 + $1 * $1 } / Double(moves.count)).squareRoot()
    #expect(abs(mean) < 0.3 && abs(sd - 3) < 0.2)
    // Lost at both ends: 2 of 100 channels' worth of 3 phi(0).
    #expect(result.count < 2000 && result.count > 1900)
    #expect(result.times == result.times.sorted())
    augmentation.channelJitter = 65_535
    #expect(apply(augmentation).units.allSatisfy { $0 < 100 })
  }

  /// 50 Hz on 100 channels over 100 ms are 500 spikes, Poisson, everywhere alike.
  @Test func inputNoiseIsPoisson() {
    var augmentation = Augmentation()
    augmentation.noise = 50
    let counts = (0..<60).map { seed -> Double in
      let result = apply(augmentation, seed: seed)
      #expect(result.times == result.times.sorted())
      return Double(result.count - 2000)
    }
    let mean = counts.reduce(0, +) / 60
    let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60
    #expect(abs(mean - 500) < 12)
    #expect(variance > 250 && variance < 900)
    let one = apply(augmentation)
    let early = one.times.count { $0 < 50 } - Self.train.times.count { $0 < 50 }
    #expect(abs(early - 250) < 60)
  }

  @Test func sortingTakesTimesNextToNothing() {
    var train = SpikeTrain(times: [.leastNonzeroMagnitude, 0], units: [0, 1])
    train.sortByTime()
    #expect(train.times == [0, .leastNonzeroMagnitude])
  }

  @Test func rescalingMapsUnitsAndTimes() {
    var set = SpikeDataSet(name: "a", unitCount: 700, classNames: ["x"])
    set.append(SpikeTrain(times: [1, 2, 3], units: [0, 9, 699]), label: 0, speaker: 4)
    let small = set.rescaled(units: 0.1, time: 0.5)
    #expect(small.unitCount == 70)
    #expect(small[0] == SpikeTrain(times: [0.5, 1, 1.5], units: [0, 0, 69]))
    #expect(small.labels == [0] && small.speakers == [4])
    #expect(set.rescaled(units: 1, time: 1)[0] == set[0])
    #expect(set.rescaled(units: 1e-5, time: 1).unitCount == 1)
    let third = set.rescaled(units: 1 / 3.0, time: 1)
    #expect(third.unitCount == 233 && third.units.allSatisfy { $0 < 233 })
  }

  @Test func delayLineCopies() {
    var train = SpikeTrain(times: [1, 5], units: [0, 2])
    DelayLine(copies: 3, step: 4).apply(to: &train, units: 3, duration: 10)
    #expect(train == SpikeTrain(times: [1, 5, 5, 9, 9], units: [0, 2, 3, 5, 6]))
  }

  @Test func sortByTimeIsStable() {
    var random = Random(seed: 1, "sort")
    var train = SpikeTrain(
      times: (0..<3000).map { _ in Double(random.index(below: 500)) },
      units: (0..<3000).map { UInt16($0) })
    let order = train.times.indices.sorted { (train.times[$0], $0) < (train.times[$1], $1) }
    let expected = SpikeTrain(
      times: order.map { train.times[$0] }, units: order.map { train.units[$0] })
    train.sortByTime()
    #expect(train == expected)
  }
}

@Suite struct SplitTests {
  static let data: SpikeDataSet = SpokenDigits(spikes: 50).generate(train: 400, test: 20, seed: 1)
    .train

  @Test func randomSplit() throws {
    let (train, validate) = try ValidationSplit.random(100).apply(to: Self.data, seed: 1)
    #expect(train.count == 300 && validate.count == 100)
    #expect(train.times.count + validate.times.count == Self.data.times.count)
    let again = try ValidationSplit.random(100).apply(to: Self.data, seed: 1)
    #expect(again.validate.times == validate.times)
    #expect(throws: FileError.self) {
      try ValidationSplit.random(400).apply(to: Self.data, seed: 1)
    }
  }

  @Test func speakersLeftOut() throws {
    let (train, validate) = try ValidationSplit.speakers([3, 4]).apply(to: Self.data, seed: 1)
    #expect(Set(validate.speakers) == [3, 4])
    #expect(Set(train.speakers).isDisjoint(with: [3, 4]))
    #expect(throws: FileError.self) {
      try ValidationSplit.speakers([99]).apply(to: Self.data, seed: 1)
    }
  }
}
