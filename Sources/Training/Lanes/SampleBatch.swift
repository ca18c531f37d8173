// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore
import SpikeData

/// The samples of one batch, augmented and delayed; borrowed from the data set where nothing
/// changes.
package final class SampleBatch: BatchSamples {
  private let options: DataOptions?
  private let duration: Double
  private let seed: Int
  private let isTraining: Bool
  private var epoch = 0
  private let data: SpikeDataSet
  private let changes: UnsafeMutableBufferPointer<SpikeTrain>
  private(set) var samples: [Int] = []
  /// Per slot: the sample of the data set that it is made of.
  private var sources: [Int] = []
  package var count: Int { samples.count }
  /// Sample indices by class, for `blend`.
  private let byClass: [[Int]]

  /// - Parameters:
  ///   - capacity: the largest batch.
  ///   - isTraining: whether samples are augmented; delay lines apply either way.
  init(
    _ data: SpikeDataSet, options: DataOptions?, isTraining: Bool, duration: Double, seed: Int,
    capacity: Int
  ) {
    self.data = data
    self.duration = duration
    self.seed = seed
    self.isTraining = isTraining
    var options = options
    if !isTraining { options?.augmentation = Augmentation() }
    self.options = options
    changes = .allocate(capacity: capacity)
    changes.initialize(repeating: SpikeTrain())
    if options?.augmentation.blend ?? 0 > 0 {
      var lists = Array(repeating: [Int](), count: data.classNames.count)
      for (sample, label) in data.labels.enumerated() { lists[label].append(sample) }
      byClass = lists
    } else {
      byClass = []
    }
  }

  deinit {
    changes.deinitialize()
    changes.deallocate()
  }

  private var isChanged: Bool {
    guard let options else { return false }
    return !options.augmentation.isNone || options.delayLine.copies > 1
  }

  /// Gets the samples ready. The chance of a sample depends on seed, epoch and its index alone; an
  /// index from the number of samples on is that of a blended one, made of a sample drawn by it.
  func prepare(_ samples: [Int], epoch: Int, pool: WorkerPool) {
    self.samples = samples
    self.epoch = epoch
    sources = samples
    for (slot, sample) in samples.enumerated() where sample >= data.count {
      var random = Random(seed: seed, "blend", epoch, sample)
      sources[slot] = random.index(below: data.count)
    }
    guard isChanged else { return }
    pool.forEach(samples.count) { slot in
      prepare(slot, epoch: epoch)
    }
  }

  private func prepare(_ slot: Int, epoch: Int) {
    guard let options else { return }
    let sample = sources[slot]
    var random = Random(seed: seed, "augmentation", epoch, samples[slot])
    var result = changes[slot]
    changes[slot] = SpikeTrain()
    let isBlended =
      !byClass.isEmpty && (options.augmentation.blendAdded == 0 || samples[slot] >= data.count)
    let mates = isBlended ? byClass[data.labels[sample]] : []
    let mate = mates.isEmpty ? sample : mates[random.index(below: mates.count)]
    data.withSample(sample) { train in
      data.withSample(mate) { other in
        options.augmentation.apply(
          train, other: isBlended ? other : nil, units: data.unitCount, duration: duration,
          random: &random, into: &result)
      }
    }
    options.delayLine.apply(to: &result, units: data.unitCount, duration: duration)
    changes[slot] = result
  }

  /// By seed, epoch, index of the sample and layer; nil but in training.
  package func dropoutChance(_ slot: Int, layer: Int) -> Random? {
    isTraining ? Random(seed: seed, "dropout", epoch, samples[slot], layer) : nil
  }

  /// The labels of some of the samples.
  package func forEachLabel(_ slots: Range<Int>, _ body: (_ slot: Int, _ label: Int) -> Void) {
    data.labels.withUnsafeBufferPointer { labels in
      for slot in slots { body(slot, labels[sources[slot]]) }
    }
  }

  /// Borrows some of the samples, one after another, with their labels.
  package func forEach(
    _ slots: Range<Int>, _ body: (_ slot: Int, SpikeTrainView, _ label: Int) -> Void
  ) {
    let isChanged = isChanged
    data.withSamples { sample in
      for slot in slots {
        let (train, label) = sample(sources[slot])
        if isChanged {
          changes[slot].withView { body(slot, $0, label) }
        } else {
          body(slot, train, label)
        }
      }
    }
  }
}
