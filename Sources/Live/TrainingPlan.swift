// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Runs
import SpikeData
import Training

/// How the trainings of a preset's seeds are made; index 0 is the preset's own seed.
public struct TrainingPlan: Sendable {
  /// Seeds at the start.
  var seeds: Int
  /// Threads for all of them together.
  var threads: Int
  /// Finds the samples of a seed, which may take long; several threads may ask at once.
  var data: @Sendable (Int) throws -> DataSplits
  /// A trainer with its initial weights.
  var makeTrainer: @Sendable (Int, DataSplits, WorkerPool) throws -> Trainer
  /// Takes one to a checkpoint, at the start.
  var resume: @Sendable (Trainer, Int) throws -> Void
  /// The run folder; nil: nothing is kept on disk.
  var run: @Sendable (Trainer, Int) throws -> RunDirectory?
  /// Folder of the run that a seed goes on from; nil: it begins anew.
  var past: @Sendable (Int) -> String? = { _ in nil }

  /// The seeds of a preset.
  /// - Parameters:
  ///   - resumed: the run to go on with; nil begins a new one.
  ///   - out: folder of a new run; nil: the next under runs/.
  ///   - isKept: whether anything is written.
  ///   - progress: told what is being read or generated.
  public init(
    _ preset: Preset, threads: Int, resumed: RunToResume? = nil, out: String? = nil,
    isKept: Bool = true, progress: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    (seeds, self.threads) = (preset.seeds, threads)
    let shelf = Shelf()
    let isGenerated = preset.data?.isGenerated ?? false
    data = { index in
      // Samples from files are the same for all seeds, the split of validation samples too.
      guard index == 0 || isGenerated else { return try shelf.data() }
      let found = try (index == 0 ? preset : preset.ofSeed(index)).loadData(
        threads: threads, progress: progress)
      if index == 0 { shelf.put(found) }
      return found
    }
    makeTrainer = { index, data, pool in
      var own = try index == 0 ? preset : preset.ofSeed(index)
      // Read once: a restart, and seeds that join later, begin with the same.
      if let starts = shelf.starts {
        for (lane, start) in starts.enumerated() { own.lanes[lane].startWeights = start }
      }
      let trainer = try Trainer(own, data: data, pool: pool)
      shelf.starts = trainer.preset.lanes.map(\.startWeights)
      return trainer
    }
    // Another seed's run is opened when its turn comes: it may have come to be since the start.
    resume = { trainer, index in
      guard index > 0 else {
        guard let resumed, let place = resumed.place else { return }
        return try trainer.resume(resumed.path, at: place)
      }
      guard isKept && !shelf.path.isEmpty || resumed != nil else { return }
      let parent = try resumed ?? RunToResume(shelf.path, isKept: false)
      let own = try isKept ? parent.ofSeed(index, isKept: true) : parent.ofSeed(index)
      shelf.put(own, index)
      if let own, let place = own.place { try trainer.resume(own.path, at: place) }
    }
    run = { trainer, index in
      guard isKept else { return nil }
      if index > 0 {
        if let own = shelf.take(index) { return try RunDirectory(resuming: own, trainer) }
        return try RunDirectory(
          creating: SeedFolder.path(resumed?.path ?? shelf.path, seed: trainer.preset.seed),
          preset: trainer.preset, network: trainer.network, score: trainer.score)
      }
      if let resumed { return try RunDirectory(resuming: resumed, trainer) }
      let made = try RunDirectory(
        creating: out, preset: trainer.preset, network: trainer.network, score: trainer.score)
      shelf.path = made.path
      return made
    }
    past = { index in
      guard let first = resumed?.path else { return nil }
      return index == 0 ? first : SeedFolder.path(first, seed: preset.seed + index)
    }
  }

  /// One training, of one seed.
  init(
    makeTrainer: @escaping @Sendable () throws -> Trainer,
    resume: @escaping @Sendable (Trainer) throws -> Void,
    run: @escaping @Sendable (Trainer) throws -> RunDirectory?
  ) {
    (seeds, threads) = (1, 1)
    let none = SpikeDataSet(name: "", unitCount: 0, classNames: [])
    data = { _ in DataSplits(train: none, validate: none, test: none) }
    self.makeTrainer = { index, _, _ in
      guard index == 0 else { throw FileError("seeds", "this training has one seed") }
      return try makeTrainer()
    }
    self.resume = { trainer, _ in try resume(trainer) }
    self.run = { trainer, _ in try run(trainer) }
  }

  /// What the first seed has found out for the others.
  private final class Shelf: Sendable {
    private let state = Guarded<(data: DataSplits?, path: String, starts: [[NPYArray]?]?)>(
      (nil, "", nil))
    var starts: [[NPYArray]?]? {
      get { state.withLock { $0.starts } }
      set { state.withLock { $0.starts = newValue } }
    }
    private let runs = Guarded<[Int: RunToResume]>([:])
    func put(_ run: RunToResume?, _ index: Int) { runs.withLock { $0[index] = run } }
    /// Not held any longer: it has the run's lock.
    func take(_ index: Int) -> RunToResume? { runs.withLock { $0.removeValue(forKey: index) } }
    var path: String {
      get { state.withLock { $0.path } }
      set { state.withLock { $0.path = newValue } }
    }
    func put(_ data: DataSplits) { state.withLock { $0.data = data } }
    func data() throws -> DataSplits {
      guard let data = state.withLock({ $0.data }) else {
        throw FileError("seeds", "the first seed's samples are not there")
      }
      return data
    }
  }
}
