// SPDX-License-Identifier: MIT

import Experiments
import ArgumentParser
import Diagnosis
import EventPropCore
import Foundation
import SpikeData
import Synchronization

struct GradcheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Hold gradients to account: the exact one, and the one that trains.",
    discussion: """
      First table, the adjoint: the exact solver's gradient against central finite differences, as relative L2 error \
      over the compared weights. Left out and counted: weights whose change creates or deletes a spike (no derivative \
      there), those whose difference does not settle to 2.5e-6 of itself or of the median (rounding grows from spike to \
      spike in long recurrent trials), and those whose gradient is below what rounding lets a difference see. Exit \
      status 1 when an error is above the tolerance.

      Second table, the training: the gradient of the preset's own solver, step and read-out rule against the exact one \
      on the same samples: cosine, ratio of norms, and the share of spikes that exist in one of the two only. With \
      --steps 1,0.5,0.2,0.1 also on finer grids: where it gets honest.
      """)

  @Argument(help: "A preset by name or path.", completion: .preset)
  var preset: String

  @Option(help: "Training samples to average over.")
  var samples: Int = 4

  @Option(help: "Weights to compare per matrix: half of the largest gradient, half at random.")
  var weights: Int = 100

  @Option(
    help: "Seconds for the first table: weights that are not reached are skipped and counted.")
  var seconds: Double = 30

  @Option(help: "Differences are taken over 128 steps of this size and less.")
  var step: Double = 1e-6

  @Option(help: "Largest relative error that passes.")
  var tolerance: Double = 1e-5

  @Option(help: "Training samples of the second table.")
  var trainingSamples: Int = 16

  @Option(
    help: "Steps of the grid for the second table, ms, as 1,0.5,0.2,0.1 (default: the preset's).")
  var steps: String?

  @Option(name: .customLong("set"), help: "Override a key of the preset.", completion: .settings)
  var settings: [String] = []

  func validate() throws {
    guard samples > 0, weights > 0, trainingSamples > 0 else {
      throw ValidationError("--samples, --weights and --training-samples must be at least 1")
    }
    guard step > 0, step < 1, tolerance > 0, seconds > 0 else {
      throw ValidationError(
        "--step must be between 0 and 1, --tolerance and --seconds above 0")
    }
  }

  func run() throws {
    var preset = try Preset(contentsOf: PresetLibrary.path(of: preset), settings: settings)
    let gridSteps = try readSteps(preset)
    let data = try preset.loadData()
    let problems = try preset.lanes.map { try preset.problem(for: $0, data: data.train) }
    preset = try preset.withStart(problems.map(\.network))
    let chosen = preset.gradientSamples(data.train, count: samples)
    let passed = checkAdjoint(preset, problems, chosen)
    compareTraining(
      preset, problems, preset.gradientSamples(data.train, count: trainingSamples), gridSteps)
    if !passed { throw ExitCode(1) }
  }

  private func readSteps(_ preset: Preset) throws -> [Double]? {
    try steps?.split(separator: ",").map { word in
      guard let step = Double(word), step > 0,
        case let count = preset.duration / step, count >= 1, count <= 1e6,
        abs(count - count.rounded()) < 1e-6 * count
      else {
        throw ValidationError(
          "--steps: \(word) is no step of this preset; allowed are those that cut its "
            + "\(preset.duration) ms into a whole number, 1 to 1000000")
      }
      return step
    }
  }

  // MARK: - The adjoint

  private func checkAdjoint(
    _ preset: Preset, _ problems: [Problem], _ samples: [GradientCheck.Sample]
  ) -> Bool {
    Console.out(
      """
      The adjoint: exact solver against finite differences, \(samples.count) samples, initial weights

      lane             matrix            compared  no deriv.  unsettled  unseen  skipped  |dL/dW|    relative error
      """)
    let check = AdjointCheck(
      preset: preset, problems: problems, samples: samples, perMatrix: weights, step: step,
      seconds: seconds)
    let results = check.run()
    var passed = true
    for (lane, rows, excluded) in results {
      if excluded > 0 {
        Console.out("\(lane): \(excluded) of \(samples.count) samples left out (silent label)")
      }
      for row in rows {
        let verdict = AdjointVerdict(row, tolerance: tolerance)
        passed = passed && verdict.passes
        let counts = String(
          format: "%10d%11d%11d%8d%9d  ", row.compared, row.excluded, row.unsettled, row.unseen,
          row.skipped)
        Console.out(
          Console.pad(lane, 16) + " " + Console.pad(row.projection, 16) + counts + verdict.text)
      }
    }
    return passed
  }

  // MARK: - The gradient that trains

  private func compareTraining(
    _ preset: Preset, _ problems: [Problem], _ samples: [GradientCheck.Sample],
    _ steps: [Double]?
  ) {
    Console.out(
      "\nThe training: its gradient against the exact one, \(samples.count) samples, initial weights\n"
    )
    let grids = zip(preset.lanes, problems).filter { $0.0.solver == .grid }
    for lane in preset.lanes where lane.solver == .exact {
      Console.out("\(lane.name) trains with the exact solver: its gradient is the exact one")
    }
    if grids.isEmpty { return }
    Console.out(
      "lane             step ms  read-out    matrix            cos     norm ratio  |dL/dW| exact  "
        + "spikes in one only")
    for (lane, problem) in grids {
      let weights = lane.beginning(problem.network, seed: preset.seed, as: Float.self)
        .arrays.map { $0.doubles }
      for step in steps ?? [lane.step] {
        let comparison = GradientComparison(
          problem, samples: samples, weights: weights, step: step, reach: preset.diagnosis.reach)
        let rows = zip(problem.network.arrays, comparison.rows).filter {
          $0.hasGradient($1.exactNorm)
        }
        for (index, (_, row)) in rows.enumerated() {
          let cosine = row.cosine.map { String(format: "%6.3f", $0) } ?? "     –"
          let ratio = row.normRatio.map { String(format: "%10.3g", $0) } ?? "         –"
          Console.out(
            Console.pad(lane.name, 16) + " "
              + Console.pad(String(format: "%g", step), 8) + " "
              + Console.pad(lane.rule.rawValue, 11) + " " + Console.pad(row.projection, 16)
              + "  " + cosine + "  " + ratio + String(format: "     %.2e", row.exactNorm)
              + (index == 0 ? "       " + spikes(comparison, preset.diagnosis.reach) : ""))
        }
      }
    }
  }

  private func spikes(_ comparison: GradientComparison, _ reach: Double) -> String {
    let all = max(comparison.exactSpikes + comparison.trainingSpikes, 1)
    let alone = comparison.onlyExact + comparison.onlyTraining
    return String(
      format: "%d exact, %d here (%.1f %%, reach %g ms)", comparison.onlyExact,
      comparison.onlyTraining, 100 * Double(alone) / Double(all), reach)
  }
}

/// What a row of the first table comes to.
private struct AdjointVerdict {
  var passes: Bool
  var text: String

  /// How far differences may at worst settle and still say something of a matrix in which none
  /// settles better.
  static let coarsest = 1e-3

  init(_ row: GradientCheck.Row, tolerance: Double) {
    if row.compared > 0 && row.norm > 0 {
      passes = row.relativeError <= tolerance
      text = String(
        format: "%.3e  %.2e  %@", row.norm, row.relativeError, passes ? "ok" : "FAILED")
    } else if row.unsettled > 0 && row.unsettledGap <= Self.coarsest {
      passes = row.unsettledError <= row.unsettledGap
      text = String(
        format: "           %.2e  %@: differences settle to %.1e here", row.unsettledError,
        passes ? "ok" : "FAILED", row.unsettledGap)
    } else {
      passes = row.unseen > 0 && row.unsettled == 0
      text = passes ? "below what differences can see" : "NOTHING TO COMPARE"
    }
  }
}

/// The finite differences of all matrices of all lanes, shared out to the machine's cores within a
/// time.
struct AdjointCheck: Sendable {
  let preset: Preset
  let problems: [Problem]
  let samples: [GradientCheck.Sample]
  let perMatrix: Int
  let step: Double
  let seconds: Double

  private struct Task {
    var lane: Int
    var projection: Int
  }

  private struct Progress {
    var next = 0
    var weights = 0
    var rows: [[GradientCheck.Row?]]
    var excluded: [Int]
    var console = Console()
  }

  /// Per lane: its name, a row per matrix, samples left out.
  func run() -> [(lane: String, rows: [GradientCheck.Row], excluded: Int)] {
    // Read-outs first: their differences need no pass through the hidden layers' spikes to settle,
    // and leave time over.
    let tasks = problems.indices.flatMap { lane in
      problems[lane].network.arrays.indices.reversed().map { Task(lane: lane, projection: $0) }
    }.sorted { isReadout($0) && !isReadout($1) }
    let clock = ContinuousClock()
    let start = clock.now
    let threads = min(ProcessInfo.processInfo.activeProcessorCount, tasks.count)
    let progress = Mutex(
      Progress(
        rows: problems.map { $0.network.arrays.map { _ in nil } },
        excluded: problems.map { _ in 0 }))
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while true {
        let index = progress.withLock { state in
          defer { state.next += 1 }
          return state.next
        }
        guard index < tasks.count else { return }
        let task = tasks[index]
        // What is left of the time, shared by the tasks that are left.
        let begun = clock.now
        let left = Double(seconds) - (begun - start) / .seconds(1)
        let share = max(left, 0) * Double(threads) / Double(tasks.count - index)
        let (row, excluded) = check(
          task, isTimeUp: { (clock.now - begun) / .seconds(1) > min(share, max(left, 0)) }
        ) {
          progress.withLock { state in
            state.weights += 1
            let (weights, elapsed) = (state.weights, (clock.now - start) / .seconds(1))
            state.console.progress(
              String(
                format: "%d weights compared, matrix %d of %d, %.0f of at most about %.0f s",
                weights,
                min(state.next, tasks.count), tasks.count, elapsed, seconds))
          }
        }
        progress.withLock { state in
          state.rows[task.lane][task.projection] = row
          state.excluded[task.lane] = excluded
        }
      }
    }
    return progress.withLock { state in
      state.console.clear()
      return problems.indices.map { lane in
        let rows = zip(problems[lane].network.arrays, state.rows[lane]).compactMap { array, row in
          row.flatMap { array.hasGradient($0.wholeNorm) ? $0 : nil }
        }
        return (preset.lanes[lane].name, rows, state.excluded[lane])
      }
    }
  }

  private func isReadout(_ task: Task) -> Bool {
    task.projection == problems[task.lane].network.projections.count - 1
  }

  private func check(
    _ task: Task, isTimeUp: () -> Bool, progress: () -> Void
  ) -> (GradientCheck.Row?, excluded: Int) {
    let problem = problems[task.lane]
    let weights = preset.lanes[task.lane].beginning(
      problem.network, seed: preset.seed, as: Double.self)
    let check = GradientCheck(problem, samples: samples, weights: weights)
    let rows = check.run(
      weights: weights, perMatrix: perMatrix, step: step, seed: preset.seed, settling: 2.5e-6,
      projections: [task.projection], isTimeUp: isTimeUp, progress: progress)
    return (rows.first, check.excludedSamples)
  }
}

extension NetworkArray {
  /// That of what is drawn and stays as it is may be 0 because nobody asks for it.
  fileprivate func hasGradient(_ norm: Double) -> Bool { isTrained || norm > 0 }
}

extension Preset {
  /// The first training samples, with the preset's delay line, without augmentation.
  func gradientSamples(_ data: SpikeDataSet, count: Int) -> [GradientCheck.Sample] {
    (0..<min(count, data.count)).map { index in
      var train = data[index]
      self.data?.delayLine.apply(to: &train, units: data.unitCount, duration: duration)
      return (train, data.labels[index])
    }
  }
}
