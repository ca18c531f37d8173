// SPDX-License-Identifier: MIT

import EventPropCore

/// Lanes of one trainer, or of several, side by side: a thread for each while there are enough of
/// them, so that threads wait for each other once a batch.
extension Trainer {
  /// Samples trained on, and the rows of an epoch that has ended, one per lane.
  public typealias Step = (samples: Int, rows: [EpochMetrics]?)

  /// A batch of each trainer, and the end of its epoch where that was the last one.
  /// - Parameter pool: the one that all of them were made with.
  public static func step(_ trainers: [Trainer], pool: WorkerPool) -> [Result<Step, any Error>] {
    let training = trainers.filter { !$0.isEpochComplete }
    var failures: [ObjectIdentifier: any Error] = [:]
    for (trainer, result) in zip(training, trainBatch(of: training, pool: pool)) {
      if case .failure(let error) = result { failures[ObjectIdentifier(trainer)] = error }
    }
    let ending = trainers.filter { $0.isEpochComplete && failures[ObjectIdentifier($0)] == nil }
    let trained = Set(training.map { ObjectIdentifier($0) })
    let rows = Dictionary(
      uniqueKeysWithValues: zip(
        ending.map { ObjectIdentifier($0) }, finishEpoch(of: ending, pool: pool)))
    return trainers.map { trainer in
      let id = ObjectIdentifier(trainer)
      if let failure = failures[id] { return .failure(failure) }
      return .success((trained.contains(id) ? trainer.lastBatchSize : 0, rows[id]))
    }
  }

  /// The next batch of each; a lane that fails leaves the others as they are.
  static func trainBatch(of trainers: [Trainer], pool: WorkerPool) -> [Result<Void, any Error>] {
    for trainer in trainers {
      trainer.lastSkipped = Set(
        trainer.lanes.filter { trainer.isSkipped($0) }.map(\.options.identity))
    }
    let observations = trainers.map { $0.beginBatch() }
    let jobs = jobs(of: trainers) { !$0.isSkipped($1) }
    let results = JobResults<(any Error)?>(jobs.count, nil)
    pool.sideBySide(jobs.count) { index, pool in
      let job = jobs[index]
      do {
        try trainers[job.trainer].train(job.lane, observations[job.trainer], pool: pool)
      } catch {
        results[index] = error
      }
    }
    return trainers.indices.map { index in
      for (number, job) in jobs.enumerated() where job.trainer == index {
        if let error = results[number] { return .failure(error) }
      }
      trainers[index].endBatch()
      return .success(())
    }
  }

  /// The end of an epoch of each.
  /// - Returns: per trainer, one row per lane.
  static func finishEpoch(of trainers: [Trainer], pool: WorkerPool) -> [[EpochMetrics]] {
    for trainer in trainers {
      precondition(trainer.isEpochComplete)
      // Before the evaluation: what is evaluated is what is kept.
      for lane in trainer.lanes {
        lane.applySilentPolicy(epoch: trainer.epoch, seed: trainer.preset.seed)
      }
    }
    let jobs = jobs(of: trainers)
    let results = JobResults<Ending>(jobs.count, Ending())
    pool.sideBySide(jobs.count) { index, pool in
      let (trainer, lane) = (trainers[jobs[index].trainer], jobs[index].lane)
      results[index] = trainer.ending(of: lane, pool: pool)
    }
    /// In the order of the trainer's lanes.
    func endings(of trainer: Trainer) -> [Ending] {
      trainer.lanes.map { lane in results[jobs.firstIndex { $0.lane === lane }!] }
    }
    for trainer in trainers { trainer.noteProgress(endings(of: trainer).map(\.validation)) }
    // Which epoch is the last may depend on its validation.
    let last = jobs.indices.filter {
      let trainer = trainers[jobs[$0].trainer]
      return trainer.preset.training.tests == .end && trainer.isLastEpoch
    }
    pool.sideBySide(last.count) { index, pool in
      let (trainer, lane) = (trainers[jobs[last[index]].trainer], jobs[last[index]].lane)
      results[last[index]].test = trainer.evaluate(lane, trainer.data.test, pool: pool)
    }
    return trainers.map { $0.endEpoch(endings(of: $0)) }
  }

  /// Every lane of each.
  private static func jobs(
    of trainers: [Trainer], where isMeant: (Trainer, any Lane) -> Bool = { _, _ in true }
  ) -> [(trainer: Int, lane: any Lane)] {
    trainers.indices.flatMap { index in
      trainers[index].lanes.filter { isMeant(trainers[index], $0) }
        .map { (trainer: index, lane: $0) }
    }
  }
}
