// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Generated "spoken digits": a stand-in for SHD that needs no file. 20 words of 12 speakers on a
/// cochlea of 700 channels (unit 0 lowest), about 8000 spikes over 1 s; speakers 10 and 11 only in
/// the test set.
///
/// A word is a chain of phones. A phone has three formants, each a band of channels with a level,
/// or is a hiss. Formants glide from phone to phone; the glottis modulates them at the pitch.
/// Speakers differ in vocal tract (formants shift and spread), speed, pitch, tilt and breath; every
/// utterance varies all of these a little, and starts at its own time.
public struct SpokenDigits: Sendable, Equatable {
  /// Channels of the cochlea, unit 0 the lowest.
  public static let unitCount = 700
  /// Seen and unseen ones, numbered from 0.
  public static let speakerCount = 12
  /// In test samples only; their vocal tracts lie towards the ends of the range.
  public static let unseenSpeakers = [10, 11]
  /// Labels index them: the English digits, then the German ones.
  public static let classNames =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    + ["null", "eins", "zwei", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun"]

  /// Trial length that utterances are fitted into, ms.
  public var duration: Double
  /// Mean spikes per sample.
  public var spikes: Double

  /// `duration` in ms, above 0; `spikes` per sample. Neither is checked.
  public init(duration: Double = 1000, spikes: Double = 8000) {
    self.duration = duration
    self.spikes = spikes
  }

  /// Training samples come from speakers 0 to 9; of the test samples, three in five from 10 and 11.
  /// - Parameter threads: the samples are the same for any number.
  public func generate(train: Int, test: Int, seed: Int, threads: Int = 1) -> (
    train: SpikeDataSet, test: SpikeDataSet
  ) {
    let pool = WorkerPool(threads: threads)
    return (
      generate(train, seed: seed, part: 0, pool) { sample, _ in (sample / 20) % 10 },
      generate(test, seed: seed, part: 1, pool) { sample, random in
        sample % 5 < 3 ? 10 + (sample / 20) % 2 : random.index(below: 10)
      }
    )
  }

  private func generate(
    _ count: Int, seed: Int, part: Int, _ pool: WorkerPool, speaker: (Int, inout Random) -> Int
  ) -> SpikeDataSet {
    var data = SpikeDataSet(
      name: "spoken-digits", unitCount: Self.unitCount, classNames: Self.classNames)
    data.reserve(samples: count, spikes: Int(Double(count) * spikes * 1.1))
    let voices = (0..<Self.speakerCount).map(Voice.init)
    let words = Word.all
    func label(_ sample: Int) -> Int { sample % words.count }
    // Every sample has a stream of random numbers of its own.
    let made = JobResults<(train: SpikeTrain, speaker: Int)>(count, (SpikeTrain(), 0))
    pool.forEach(count) { sample in
      var random = Random(seed: seed, "spoken digits", part, sample)
      let who = speaker(sample, &random)
      let train = utter(words[label(sample)], voices[who].varied(&random), &random)
      made[sample] = (train, who)
    }
    for sample in 0..<count {
      data.append(made[sample].train, label: label(sample), speaker: made[sample].speaker)
    }
    return data
  }

  /// The spikes of one utterance.
  func utter(_ word: [Phone], _ voice: Voice, _ random: inout Random) -> SpikeTrain {
    let durations = word.map { $0.length * voice.slowness * random.uniform(0.85, 1.15) }
    let spoken = durations.reduce(0, +)
    let length = min(spoken, 0.8) * duration
    let start = random.uniform(0.02, max(0.03, 0.97 - length / duration)) * duration
    let perMillisecond = spikes / (0.355 * duration) * voice.loudness
    var train = SpikeTrain()
    var phase = random.uniform()
    var drawn: [(time: Double, unit: UInt16)] = []
    for millisecond in 0..<Int(length) {
      let x = (Double(millisecond) + 0.5) / length * spoken
      let sound = Phone.glide(word, durations, at: x)
      phase += voice.pitch * (1 + 0.1 * sin(3 * x)) / 1000
      let glottis = 1 + 0.9 * voice.voicing * sound.voicing * cos(2 * .pi * phase)
      let envelope = min(1, x / 0.02, (spoken - x) / 0.04)
      drawn.removeAll(keepingCapacity: true)
      for formant in 0..<3 {
        let level = sound.levels[formant] * voice.tilt(formant)
        let expected = perMillisecond * level * glottis * max(0, envelope)
        let centre = voice.channel(sound.channels[formant], formant)
        let spread = (sound.isHiss ? 70 : 17) * voice.spread
        for _ in 0..<random.poisson(expected) {
          let unit = (centre + spread * random.normal()).rounded()
          guard unit >= 0, unit < Double(Self.unitCount) else { continue }
          let time = start + Double(millisecond) + random.uniform()
          drawn.append((min(time, duration - 0.001), UInt16(unit)))
        }
      }
      for _ in 0..<random.poisson(voice.breath) {
        let unit = UInt16(random.index(below: Self.unitCount))
        drawn.append((start + Double(millisecond) + random.uniform(), unit))
      }
      drawn.sort { $0 < $1 }
      train.times.append(contentsOf: drawn.map(\.time))
      train.units.append(contentsOf: drawn.map(\.unit))
    }
    return train
  }
}

/// A speaker's vocal tract and manner.
struct Voice: Sendable {
  /// Factor on formant frequencies (as a shift on the logarithmic channel axis).
  var tract: Double
  var slowness: Double
  /// Hz.
  var pitch: Double
  var voicing: Double
  var loudness: Double
  var slope: Double
  /// Background spikes per ms.
  var breath: Double
  var spread: Double
  /// Offsets of single formants, channels.
  var offsets: [Double]

  /// The fixed voice of a speaker, whatever the seed of the data.
  init(speaker: Int) {
    var random = Random(seed: 7, "voice", speaker)
    let isUnseen = SpokenDigits.unseenSpeakers.contains(speaker)
    // Seen speakers cover a range of tracts; the two unseen ones lie towards its ends.
    tract = isUnseen ? (speaker == 10 ? -34 : 34) : random.uniform(-40, 40)
    slowness = random.uniform(0.8, 1.25)
    pitch = random.uniform(90, 240)
    voicing = random.uniform(0.5, 1)
    loudness = random.uniform(0.85, 1.15)
    slope = random.uniform(-0.25, 0.25)
    breath = random.uniform(0.1, 0.6)
    spread = random.uniform(0.8, 1.3)
    offsets = (0..<3).map { _ in random.uniform(-22, 22) }
  }

  /// The same voice on another occasion.
  func varied(_ random: inout Random) -> Voice {
    var voice = self
    voice.tract += 9 * random.normal()
    voice.slowness *= 1 + 0.1 * random.normal()
    voice.pitch *= 1 + 0.12 * random.normal()
    voice.loudness *= 1 + 0.1 * random.normal()
    voice.slope += 0.08 * random.normal()
    voice.offsets = offsets.map { $0 + 7 * random.normal() }
    return voice
  }

  func tilt(_ formant: Int) -> Double { 1 + slope * Double(formant - 1) }
  func channel(_ channel: Double, _ formant: Int) -> Double { channel + tract + offsets[formant] }
}

/// A piece of a word: formant channels and levels, length in s.
struct Phone: Sendable {
  var channels: [Double]
  var levels: [Double]
  var voicing: Double
  var length: Double
  var isHiss: Bool

  static func vowel(_ f1: Double, _ f2: Double, _ f3: Double, _ length: Double) -> Phone {
    Phone(
      channels: [f1, f2, f3], levels: [0.45, 0.35, 0.2], voicing: 1, length: length, isHiss: false)
  }

  static func hiss(_ channel: Double, _ length: Double) -> Phone {
    Phone(
      channels: [channel - 60, channel, channel + 60], levels: [0.2, 0.35, 0.25], voicing: 0,
      length: length, isHiss: true)
  }

  /// A nasal or a liquid: a weak vowel.
  static func soft(_ f1: Double, _ f2: Double, _ f3: Double) -> Phone {
    Phone(
      channels: [f1, f2, f3], levels: [0.35, 0.12, 0.08], voicing: 1, length: 0.09, isHiss: false)
  }

  /// The closure of a stop.
  static let stop = Phone(
    channels: [150, 350, 520], levels: [0.01, 0.01, 0.01], voicing: 0, length: 0.05, isHiss: false)

  /// The sound at x seconds into a word: the middle half of a phone is steady, between them it
  /// glides.
  static func glide(_ word: [Phone], _ durations: [Double], at x: Double) -> Phone {
    var start = 0.0
    var index = 0
    while index < word.count - 1, x >= start + durations[index] {
      start += durations[index]
      index += 1
    }
    let position = (x - start) / durations[index]
    var sound = word[index]
    let neighbour = position < 0.25 ? index - 1 : position > 0.75 ? index + 1 : index
    if neighbour != index, word.indices.contains(neighbour) {
      let other = word[neighbour]
      let weight = position < 0.25 ? 0.5 - 2 * position : 2 * position - 1.5
      for formant in 0..<3 {
        sound.channels[formant] += weight * (other.channels[formant] - sound.channels[formant])
        sound.levels[formant] += weight * (other.levels[formant] - sound.levels[formant])
      }
    }
    return sound
  }
}

/// The words as chains of phones.
enum Word {
  static let i = Phone.vowel(140, 480, 560, 0.16)
  static let e = Phone.vowel(220, 440, 540, 0.15)
  static let a = Phone.vowel(310, 380, 520, 0.17)
  static let o = Phone.vowel(240, 310, 510, 0.16)
  static let u = Phone.vowel(160, 290, 500, 0.16)
  static let schwa = Phone.vowel(230, 385, 525, 0.09)
  static let ue = Phone.vowel(150, 430, 515, 0.14)
  static let s = Phone.hiss(610, 0.12)
  static let z = Phone.hiss(570, 0.09)
  static let f = Phone.hiss(520, 0.1)
  static let th = Phone.hiss(480, 0.08)
  static let ch = Phone.hiss(430, 0.1)
  static let k = Phone.hiss(400, 0.04)
  static let t = Phone.hiss(560, 0.04)
  static let n = Phone.soft(150, 370, 510)
  static let r = Phone.soft(200, 340, 430)
  static let l = Phone.soft(190, 320, 530)
  static let v = Phone.soft(170, 310, 480)
  static let w = Phone.soft(160, 270, 470)
  static let stop = Phone.stop

  static let all: [[Phone]] = [
    [z, i, r, o], [w, a, n], [stop, t, u], [th, r, i], [f, o, r],
    [f, a, i, v], [s, i, stop, k, s], [s, e, v, schwa, n], [e, i, stop, t], [n, a, i, n],
    [n, u, l], [a, i, n, s], [stop, t, s, v, a, i], [stop, r, a, i], [f, i, schwa],
    [f, ue, n, f], [z, e, k, s], [z, i, stop, schwa, n], [a, ch, stop, t], [n, o, i, n],
  ]
}

extension Random {
  /// A Poisson number (Knuth's product method; for means of a few tens at the most).
  mutating func poisson(_ mean: Double) -> Int {
    guard mean > 0 else { return 0 }
    let limit = exp(-min(mean, 500))
    var product = uniform()
    var count = 0
    while product > limit {
      product *= uniform()
      count += 1
    }
    return count
  }
}
