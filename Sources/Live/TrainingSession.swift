// SPDX-License-Identifier: MIT

import Runs
import Training
import EventPropCore
import Foundation

/// A trainer with its histories and its run folder, as the engine thread drives it: one batch or
/// one command at a time.
final class TrainingSession {
  private let makeTrainer: () throws -> Trainer
  private(set) var trainer: Trainer
  let run: RunDirectory?
  let time: TimeSource
  /// By identity of the lane, also of lanes that were dropped.
  private(set) var histories: [Int: LaneHistory] = [:]
  private(set) var marks: [CommandMark] = []
  /// Since the initial weights, as in the log.
  private(set) var commands: [LoggedCommand] = []
  /// Given at places that this session has still to come to.
  var queued = CommandQueue()
  /// A resume came after the last of them.
  private var isAfterResume = false
  /// Folder with the checkpoints of this training; nil: none.
  private(set) var pastRun: String?
  /// States to go back to.
  private(set) var places = PastPlaces()
  /// What is done instead of training on.
  var job: PastJob?
  /// The update that the last bisection found.
  var found: FoundUpdate?
  /// How often the training went back to a place in the past.
  private(set) var rewinds = 0
  var notice = ""
  private(set) var failure = ""
  /// The run's folder is no longer where it was.
  private(set) var isGone = false
  /// After a failure: lanes are at a place from which training can go on.
  private(set) var canGoOn = false
  private(set) var probeSample = 0
  private(set) var detail: Detail?
  var details: DetailCache
  /// The training gradient against the exact one.
  let truth: GradientTruth
  /// The loss along the last observed updates.
  let slices = SliceWorker()
  /// How the weights stand.
  let doctor: DoctorWorker
  var inspection: Inspection?
  /// When weights were last kept for a look back, and where: at most twice a second, and once per
  /// place.
  var lastKept: (time: Duration, position: Double)?
  /// Compares at once, not beside the training.
  var comparesAtOnce = false
  /// Reports of the doctor too.
  var reportsAtOnce = false
  private var stopCondition: StopCondition?
  /// What it paused for last.
  private(set) var pause: Pause?
  private var breakpoints: [Breakpoint] = []
  /// The last one that was hit.
  private(set) var breakHit: BreakHit?
  /// Set when a stop condition was met; the engine then pauses.
  var hasStopped = false
  static let markLimit = 1000

  /// - Parameters:
  ///   - makeTrainer: a trainer with its initial weights, at the start and for every restart.
  ///   - resume: takes the first one to a checkpoint.
  ///   - past: folder of the run that it was resumed from, where nothing is written.
  ///   - run: nil trains without leaving anything on disk.
  init(
    _ makeTrainer: @escaping () throws -> Trainer, resume: (Trainer) throws -> Void = { _ in },
    time: TimeSource = .machine, past: String? = nil, run: (Trainer) throws -> RunDirectory?
  ) throws {
    self.makeTrainer = makeTrainer
    self.time = time
    details = DetailCache(time)
    truth = GradientTruth(time)
    doctor = DoctorWorker(time)
    trainer = try makeTrainer()
    try resume(trainer)
    do {
      self.run = try run(trainer)
    } catch {
      self.run = nil
      notice = "\(error); nothing of this session is kept on disk"
    }
    attempt { try self.run?.logBeginning(of: trainer) }
    pastRun = self.run?.path ?? past
    if let pastRun, trainer.commandCount > 0 {
      let log = (pastRun as NSString).appendingPathComponent("commands.jsonl")
      commands = Array(
        try LoggedSession(contentsOf: log).commands.prefix(trainer.commandCount))
    }
    isAfterResume = trainer.epoch > 0 || trainer.batchInEpoch > 0
    if notice.isEmpty { notice = trainer.data.notes.joined(separator: "; ") }
    if let run = self.run, trainer.epoch > 0 || trainer.batchInEpoch > 0 {
      takeHistory(of: run.path, until: trainer.epoch)
    } else {
      // From the first moment there is something to go on from.
      attempt { try writeCheckpoint() }
    }
  }

  /// Fills curves and numbers from a run's metrics.csv and its marks from commands.jsonl, up to an
  /// epoch.
  func takeHistory(of run: String, until epoch: Int) {
    let folder = run as NSString
    let rows = MetricsTable.read(folder.appendingPathComponent("metrics.csv"), trainer.network)
    let activity = ActivityTable.read(
      folder.appendingPathComponent(ActivityTable.file), trainer.network)
    for var row in rows where row.epoch <= epoch {
      row.activity = activity[row.lane]?[row.epoch] ?? []
      guard let lane = trainer.lanes.first(where: { $0.name == row.lane }) else { continue }
      lane.diagnosis.records.note(row.alarms, epoch: row.epoch)
      lane.diagnosis.alarms = row.alarms
      edit(lane) { $0.append(row) }
    }
    let log = try? LoggedSession(contentsOf: folder.appendingPathComponent("commands.jsonl"))
    marks = (log?.commands ?? []).filter { ($0.epoch, $0.batch) <= (epoch, trainer.batchInEpoch) }
      .suffix(Self.markLimit).map {
        CommandMark(
          position: trainer.position(epoch: $0.epoch, batch: $0.batch),
          epoch: $0.epoch, batch: $0.batch, lane: $0.lane, text: $0.text)
      }
  }

  func history(of lane: any Lane) -> LaneHistory {
    histories[lane.options.identity] ?? LaneHistory(lane.network)
  }
  private func edit(_ lane: any Lane, _ body: (inout LaneHistory) -> Void) {
    body(&histories[lane.options.identity, default: LaneHistory(lane.network)])
  }

  /// Finished epochs, with fraction.
  var position: Double { trainer.position(epoch: trainer.epoch, batch: trainer.batchInEpoch) }
}

// Training.
extension TrainingSession {
  /// Trains one batch; at the end of an epoch also evaluates and writes what is due.
  /// - Returns: samples trained on.
  func trainBatch() -> Int {
    guard failure.isEmpty else { return 0 }
    prepareBatch()
    return take(Result { try trainer.step() })
  }

  /// The first half of `trainBatch`, where several sessions train together.
  func prepareBatch() {
    trainer.markSafePlace()
    trainer.safePlace.map { places.keep($0) }
  }

  /// The second half: what the trainer's step has given.
  func take(_ result: Result<Trainer.Step, any Error>) -> Int {
    do {
      let step = try result.get()
      if step.samples > 0 {
        for lane in trainer.lanes where !trainer.lastSkipped.contains(lane.options.identity) {
          edit(lane) { $0.append(batchOf: lane, at: position) }
        }
      }
      if step.samples > 0 { checkBreakpoints() }
      if let rows = step.rows { take(rows) }
      return step.samples
    } catch {
      fail(error)
      return 0
    }
  }

  /// Trains until something says stop, batch by batch.
  /// - Parameter goesOn: asked before every batch.
  /// - Throws: `TrainingError` when a batch failed.
  func train(while goesOn: (Trainer) throws -> Bool) throws {
    while try goesOn(trainer) {
      _ = trainBatch()
      if !failure.isEmpty { throw TrainingError(description: failure) }
    }
  }

  /// The next batch's update is looked at closely: someone steps through the training.
  func observeNext() { trainer.observesNext = true }

  /// What observed updates are to keep, by what the screen shows.
  private func watchUpdates() {
    trainer.observesMargins = detail == .ledger || detail == .step
    trainer.keepsStepWeights = detail == .slice
  }

  private func take(_ rows: [EpochMetrics]) {
    for (lane, (row, test)) in zip(trainer.lanes, zip(rows, trainer.lastTests)) {
      edit(lane) {
        $0.evaluation = test
        $0.take(row)
      }
    }
    if let reason = trainer.stopReason { notice = "finished: \(reason)" }
    attempt { try run?.finishEpoch(rows, of: trainer) }
    if let stopCondition, let reason = reason(for: stopCondition) {
      notice = "paused: \(reason)"
      self.stopCondition = nil
      pause = .condition
      hasStopped = true
    }
  }

  /// Pauses where one is hit; it is then gone.
  private func checkBreakpoints() {
    for (index, breakpoint) in breakpoints.enumerated() {
      for lane in trainer.lanes {
        let ledger = lane.diagnosis.ledger
        let isObserved =
          ledger.map {
            $0.epoch == trainer.epoch && $0.batch + 1 == trainer.batchInEpoch
              || $0.epoch + 1 == trainer.epoch && trainer.batchInEpoch == 0
          } ?? false
        guard
          let reason = breakpoint.reason(
            in: lane, lossBefore: history(of: lane).record?.trainLoss, isObserved: isObserved)
        else { continue }
        breakpoints.remove(at: index)
        pause = .breakpoint(breakpoint)
        breakHit = BreakHit(
          number: (breakHit?.number ?? 0) + 1, breakpoint: breakpoint, lane: lane.options.identity)
        notice = "paused: \(Trainer.letter(lane.options.identity)): \(reason)"
        hasStopped = true
        return
      }
    }
  }

  /// Evaluates every lane on the test samples.
  func evaluateNow() {
    let tests = trainer.preset.training.tests
    guard trainer.data.test.count > 0, tests == .every || tests == .end && trainer.isFinished
    else { return }
    for (index, lane) in trainer.lanes.enumerated() {
      edit(lane) { $0.evaluation = trainer.evaluate(lane: index, trainer.data.test) }
    }
  }

  /// Why training is to pause now; nil when it is not.
  private func reason(for condition: StopCondition) -> String? {
    switch condition {
    case .epoch(let epoch): return trainer.epoch >= epoch ? "epoch \(epoch) reached" : nil
    case .accuracy(let share):
      let lane = trainer.lanes.first { history(of: $0).evaluation?.accuracy ?? 0 >= share }
      return lane.map { "lane \($0.name) reached \(trainer.score.word) \(100 * share) %" }
    case .deadLayer:
      let dying = trainer.lanes.first { lane in
        zip(history(of: lane).record?.dead ?? [], lane.network.layers).contains { $0 == $1.size }
      }
      return dying.map { "a hidden layer of lane \($0.name) has died" }
    }
  }

  /// A batch that failed has changed some lanes and not others: all go back to the beginning of the
  /// epoch, from where the user may go on with other settings.
  private func fail(_ error: any Error) {
    failure = "\(error)"
    hasStopped = true
    canGoOn = (try? trainer.rollBack()) ?? false
    guard canGoOn else { return }
    rewinds += 1
    forgetFuture()
    attempt {
      try run?.log(
        command: "resume", lane: nil, epoch: trainer.epoch, batch: trainer.batchInEpoch,
        detail: "back after: \(error)", commands: trainer.commandCount)
      // One of later in the epoch counts commands that are no more.
      try writeCheckpoint()
    }
    failure += "; back at epoch \(Snapshot.words(position))"
  }

  /// Lanes are at a place in the past: what was known of later is no more.
  private func forgetFuture() {
    for lane in trainer.lanes { edit(lane) { $0.forget(after: position) } }
    commands.removeLast(max(0, commands.count - trainer.commandCount))
    isAfterResume = true
    places.forget(after: trainer.epoch, batch: trainer.batchInEpoch)
    marks.removeAll { $0.position > position }
    details.forget()
    truth.forget()
    slices.forget()
    doctor.outdate()
  }

  /// Goes on with a trainer of the same session at a place in its past.
  func follow(_ past: Trainer) {
    trainer = past
    (failure, canGoOn) = ("", false)
    rewinds += 1
    watchUpdates()
    forgetFuture()
    for lane in trainer.lanes { edit(lane) { $0.goBack(to: position, epoch: trainer.epoch) } }
  }

  /// The histories of another session, to this one's place.
  func takeHistories(of other: TrainingSession) {
    for lane in trainer.lanes {
      edit(lane) {
        $0 = other.history(of: lane)
        $0.goBack(to: position, epoch: trainer.epoch)
      }
    }
    marks = other.marks.filter { $0.position <= position }
  }

  /// Training may go on after a failure: the user says so, or has changed something.
  func forgive() {
    guard canGoOn else { return }
    failure = ""
    canGoOn = false
  }

  /// Writes a checkpoint where there is a run folder.
  func writeCheckpoint() throws {
    guard let run else { return }
    try Checkpoint.write(trainer, to: run, keep: trainer.preset.training.checkpointsKept)
  }

  /// The last thing of a session: what it has is kept, and where it ended.
  func leave() throws {
    guard let run else { return }
    // Half of a batch that failed is not kept; the checkpoint before it stands.
    if !trainer.isBroken { try writeCheckpoint() }
    try run.logEnd(of: trainer, detail: failure.isEmpty ? trainer.stopReason ?? "" : failure)
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      notice = "\(error)"
      // A run whose folder has gone keeps nothing more: it ends.
      if let run, (try? run.check()) == nil {
        failure = "\(error)"
        canGoOn = false
        isGone = true
      }
    }
  }
}

// Commands.
extension TrainingSession {
  /// Applies what was given to others at this place.
  func applyQueued() {
    while let next = queued.next(at: trainer) {
      if next.isAfterResume { trainer.undoSteps = [] }
      attempt { try apply(.change(trainer.command(next))) }
    }
  }

  /// What is done when another seed's batch failed: all go back to the beginning of the epoch.
  func goBack(with failure: String) {
    guard (try? trainer.rollBack()) ?? false else { return }
    (rewinds, hasStopped) = (rewinds + 1, true)
    forgetFuture()
    attempt {
      try run?.log(
        command: "resume", lane: nil, epoch: trainer.epoch, batch: trainer.batchInEpoch,
        detail: "back with another seed: \(failure)", commands: trainer.commandCount)
      try writeCheckpoint()
    }
  }

  /// Memory for states to go back to.
  func limitPlaces(to bytes: Int) { places.limit = bytes }

  /// Another seed has paused for it: once is enough.
  func forget(_ pause: Pause?) {
    switch pause {
    case .condition?: stopCondition = nil
    case .breakpoint(let hit)?: breakpoints.removeAll { $0 == hit }
    case nil: break
    }
  }

  enum Pause {
    case condition
    case breakpoint(Breakpoint)
  }

  /// Applies a command; those about the pace are the engine's.
  func apply(_ command: EngineCommand) {
    attempt {
      switch command {
      case .training(let any): try apply(any.command)
      case .restart(let isKeeping): try restart(isKeeping: isKeeping)
      case .checkpoint:
        try writeCheckpoint()
        notice = run.map { "checkpoint written to \($0.path)" } ?? "no run folder to write to"
      case .probe(let sample):
        probeSample = sample
        details.forget()
      case .detail(let detail):
        self.detail = detail
        watchUpdates()
        details.forget()
      case .stopWhen(let condition):
        stopCondition = condition
        notice =
          condition.map { "training will pause \($0.words(trainer.score))" }
          ?? "no stop condition"
      case .breakWhen(let breakpoint):
        breakpoints = breakpoint.map { breakpoints + [$0] } ?? []
        notice = breakpoint.map { "training will pause \($0.words)" } ?? "no breakpoints"
      case .compareGradients(let isOn):
        truth.isOn = isOn
      case .inspect(let request):
        if case .doctor(let target) = request.detail {
          let jobs = try request.lanes.map { try trainer.initReportJob(of: $0, target: target) }
          doctor.look(request, target: target, jobs, atOnce: reportsAtOnce)
          return
        }
        inspection = Inspection(
          serial: request.serial, detail: request.detail,
          lanes: try request.lanes.map {
            find(
              request.detail, of: try trainer.past($0), position: request.position, isPast: true,
              probe: request.probe)
          })
      case .bisect(let question, let lane): try begin(question, lane: lane)
      case .rewind(let rewind): try begin(rewind)
      case .cancel:
        if job != nil { notice = "given up: the training is as it was" }
        job = nil
      // The pace is the engine's, and seeds are the group's.
      case .pause, .resume, .step, .stepEpoch, .fullSpeed, .seeds, .show: break
      }
    }
  }

  private func apply(_ command: any TrainingCommand) throws {
    if let lane = command.lane, !trainer.lanes.indices.contains(lane) { return }
    let lane = command.lane.map { trainer.lanes[$0] }
    // The name of then: the lane may be gone after it.
    let name = lane?.name ?? ""
    try trainer.apply(command)
    commands.append(
      LoggedCommand(
        epoch: trainer.epoch, batch: trainer.batchInEpoch,
        lane: name, text: command.text, isAfterResume: isAfterResume))
    isAfterResume = false
    forgive()
    details.forget()
    truth.forget()
    slices.forget()
    doctor.outdate()
    if type(of: command).effect == .adds, let lane {
      histories[trainer.lanes.last!.options.identity] = history(of: lane)
    }
    if let undone = trainer.lastUndone { follow(undone) }
    log(command.text, lane: name)
  }

  private func follow(_ undone: Trainer.Undone) {
    notice = "taken back: \(undone.text)"
    let then = trainer.position(epoch: undone.epoch, batch: undone.batch)
    if let changed = undone.changed {
      edit(trainer.lanes[changed]) { $0.goBack(to: then, epoch: undone.epoch) }
    }
    if undone.isGone { return }
    notice += "; the lane goes on with its weights of epoch \(Snapshot.words(then))"
  }

  private func restart(isKeeping: Bool) throws {
    let old = isKeeping ? trainer : nil
    let fresh = try makeTrainer()
    try run?.setAside()
    trainer = fresh
    rewinds += 1
    (commands, queued, isAfterResume, job) = ([], CommandQueue(), false, nil)
    places.forget()
    (failure, canGoOn) = ("", false)
    watchUpdates()
    details.forget()
    truth.forget()
    slices.forget()
    doctor.forget()
    histories = [:]
    log("restart", lane: "")
    old?.giveSettings(to: trainer) { apply(.change($0)) }
    try writeCheckpoint()
  }

  private func log(_ text: String, lane: String) {
    marks.append(
      CommandMark(
        position: position, epoch: trainer.epoch, batch: trainer.batchInEpoch, lane: lane,
        text: text))
    if marks.count > Self.markLimit { marks.removeFirst() }
    attempt {
      try run?.log(
        command: text, lane: lane.isEmpty ? nil : lane, epoch: trainer.epoch,
        batch: trainer.batchInEpoch)
    }
  }
}
