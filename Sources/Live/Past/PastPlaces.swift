// SPDX-License-Identifier: MIT

import Training

/// States that a training can be gone back to without training all of it again: one at the
/// beginning of every epoch; of long or large trainings of every second, fourth, ... one.
struct PastPlaces {
  private(set) var all: [Trainer.SafePlace] = []
  private var stride = 1
  private var skipped = 0
  /// The last one offered.
  private var latest: (epoch: Int, batch: Int)?
  static let most = 64
  static let memory = 192 << 20
  /// Bytes that they may take.
  var limit = PastPlaces.memory

  /// Adds a place that is later than all others, when its turn has come.
  mutating func keep(_ place: Trainer.SafePlace) {
    if let latest, (place.epoch, place.batch) <= latest { return }
    latest = (place.epoch, place.batch)
    skipped += 1
    guard skipped >= stride || all.isEmpty else { return }
    skipped = 0
    all.append(place)
    let bytes = all.reduce(0) { $0 + $1.bytes }
    guard all.count > Self.most || bytes > limit, all.count > 2 else { return }
    all = all.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    stride *= 2
  }

  /// The training has gone back to a border: what came after it is no more.
  mutating func forget(after epoch: Int, batch: Int) {
    all.removeAll { ($0.epoch, $0.batch) > (epoch, batch) }
    latest = all.last.map { ($0.epoch, $0.batch) }
  }

  /// Of another training.
  mutating func forget() {
    let limit = limit
    self = PastPlaces()
    self.limit = limit
  }
}
