// SPDX-License-Identifier: MIT

import Runs
import SpikeData
import Training

/// Going back: what was trained is trained again, bit by bit, and looked at or gone on from.
extension TrainingSession {
  /// Another trainer of the same preset and data, at the initial weights.
  private func makeTwin() throws -> Trainer {
    try Trainer(trainer.preset, data: trainer.data, threads: trainer.pool.threads)
  }

  func begin(_ question: BisectQuestion, lane: Int) throws {
    guard trainer.lanes.indices.contains(lane) else { return }
    job = .bisect(
      try Bisection(
        question, lane: lane, of: trainer, commands: commands, run: pastRun,
        places: places.all, makeTrainer: { [self] in try makeTwin() }))
  }

  func begin(_ rewind: Rewind) throws {
    var rewind = rewind
    // After the last batch of an epoch comes the next epoch.
    if rewind.place.batch >= trainer.batchesPerEpoch {
      rewind.place.epoch += 1
      rewind.place.batch = 0
    }
    let here = (trainer.epoch, trainer.batchInEpoch)
    guard (rewind.place.epoch, rewind.place.batch) <= here else {
      throw FileError("rewind", "epoch \(rewind.place.epoch) is not in the past")
    }
    job = .rewind(
      rewind,
      try Rerun(
        makeTwin(), commands: commands, run: pastRun, places: places.all, before: rewind.place))
  }

  /// One batch of a job.
  func stepJob() {
    do {
      switch job {
      case .bisect(var bisection):
        let outcome = try bisection.step()
        job = .bisect(bisection)
        switch outcome {
        case .goesOn: return
        case .nothing(let why):
          job = nil
          notice = "\(bisection.question.text(trainer.score)): \(why)"
          hasStopped = true
        case .found:
          job = nil
          try show(bisection)
          hasStopped = true
        }
      case .rewind(let rewind, let rerun):
        if try rerun.step(to: rewind.place) {
          job = nil
          try goOn(with: rerun.trainer, rewind)
        }
      case nil: break
      }
    } catch {
      job = nil
      notice = "\(error)"
    }
  }

  /// Trains the update that was found once more, and looks at it.
  private func show(_ bisection: Bisection) throws {
    guard let change = bisection.change else { return }
    var place = change.place
    let rerun = try bisection.trainerBefore(change)
    while try !rerun.step(to: place) {}
    let twin = try TrainingSession({ rerun.trainer }, time: time, run: { _ in nil })
    twin.comparesAtOnce = true
    twin.apply(.probe(probeSample))
    twin.apply(.detail(.ledger))
    var (batch, what): ((Int, Int)?, String)
    switch change.kind {
    case .update:
      twin.trainer.observesNext = true
      try twin.trainer.trainBatch()
      (batch, what) = (
        (place.epoch, place.batch),
        "the update of batch \(place.batch + 1), epoch \(place.epoch + 1)"
      )
    case .command(let text):
      try rerun.due.map { try rerun.trainer.apply($0) }
      (batch, what) = (nil, "the command \"\(text)\"")
    case .epochEnd:
      if !twin.trainer.isEpochComplete { try twin.trainer.trainBatch() }
      if twin.trainer.isEpochComplete { _ = twin.trainer.finishEpoch() }
      (batch, what) = (nil, "what is done to silent neurons at the end of epoch \(place.epoch + 1)")
    }
    place.batch += 1
    twin.takeHistories(of: self)
    var snapshot = twin.snapshot()
    twin.apply(.detail(.step))
    let steps = twin.snapshot()
    for index in snapshot.lanes.indices {
      snapshot.lanes[index].detail.step = steps.lanes[index].step
      snapshot.lanes[index].kept = twin.trainer.lanes[index].keep()
    }
    snapshot.serial = -1 - (found?.number ?? 0)
    snapshot.runPath = run?.path ?? ""
    snapshot.isPaused = true
    snapshot.commands = twin.trainer.commandCount
    let sentence =
      "\(what): " + bisection.question.sentence(change.before, change.after, trainer.score)
    found = FoundUpdate(
      number: FoundUpdate.takeNumber(), lane: bisection.identity, snapshot: snapshot,
      sentence: sentence, batch: batch)
    notice = "found: " + sentence
  }

  /// The training is the one that was trained again: what came after is set aside.
  private func goOn(with past: Trainer, _ rewind: Rewind) throws {
    guard let index = past.lanes.firstIndex(where: { $0.options.identity == rewind.lane }) else {
      throw FileError("rewind", "the lane was not there yet")
    }
    guard past.lanes.count < 4 else {
      throw FileError("rewind", "there were four lanes then: no fork has room beside them")
    }
    past.undoSteps = []
    try run?.setAside(rewindingTo: past)
    follow(past)
    try run?.log(
      command: "resume", lane: nil, epoch: past.epoch, batch: past.batchInEpoch,
      detail: "rewound", commands: past.commandCount)
    let kind = rewind.loss ?? past.lanes[index].options.lossKind
    let fork = past.lanes.count
    apply(.change(Fork(lane: index, kind: kind)))
    guard past.lanes.count > fork else { return }
    if !rewind.change.isEmpty, let command = CommandTable.command(rewind.change, lane: fork) {
      apply(.change(command))
    }
    if rewind.skipsBatch { apply(.change(SkipBatch(lane: fork))) }
    notice =
      "back at epoch \(Snapshot.words(position)), with \(Trainer.letter(past.lanes[fork].options.identity)) beside"
      + (run == nil ? "" : "; before-rewind-n/ keeps what there was")
  }
}
