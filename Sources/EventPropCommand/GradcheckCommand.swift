import ArgumentParser
import EventPropCore
import Foundation
import SpikeData
import Training

struct GradcheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Hold the exact solver's gradient against central finite differences.",
    discussion: """
      For every lane and weight matrix: relative L2 error over the compared weights. Weights whose change creates or
      deletes a spike have no derivative there; they are left out and counted. So are those whose finite difference does
      not settle to 2.5e-6 of itself or of the median (long recurrent trials: rounding grows from spike to spike), as
      the differences themselves show. Exit status 1 when an error is above the tolerance.
      """)

  @Argument(help: "A preset by name or path.")
  var preset: String

  @Option(help: "Training samples to average over.")
  var samples: Int = 4

  @Option(help: "Weights to compare per matrix: half of the largest gradient, half at random.")
  var weights: Int = 100

  @Option(help: "Differences are taken over 128 steps of this size and less.")
  var step: Double = 1e-6

  @Option(help: "Largest relative error that passes.")
  var tolerance: Double = 1e-5

  @Option(name: .customLong("set"), help: "Override a key of the preset.")
  var settings: [String] = []

  func validate() throws {
    guard samples > 0, weights > 0 else {
      throw ValidationError("--samples and --weights must be at least 1")
    }
    guard step > 0, step < 1, tolerance > 0 else {
      throw ValidationError("--step must be between 0 and 1, --tolerance above 0")
    }
  }

  func run() throws {
    let preset = try Preset(contentsOf: PresetLibrary.path(of: preset), settings: settings)
    let data = try preset.loadData()
    var passed = true
    print(
      "lane             matrix            compared  left out  unsettled  |dL/dW|     relative error"
    )
    for lane in preset.lanes {
      let problem = try preset.problem(for: lane, data: data.train)
      let weights = Parameters<Double>(problem.network, initial: lane.initial, seed: preset.seed)
      let chosen = (0..<min(samples, data.train.count)).map { index -> GradientCheck.Sample in
        var train = data.train[index]
        preset.data?.delayLine.apply(
          to: &train, units: data.train.unitCount, duration: preset.duration)
        return (train, data.train.labels[index])
      }
      let check = GradientCheck(problem, samples: chosen, weights: weights)
      if check.excludedSamples > 0 {
        print(
          "\(lane.name): \(check.excludedSamples) of \(chosen.count) samples left out (silent label)"
        )
      }
      for row in check.run(
        weights: weights, perMatrix: self.weights, step: step, seed: preset.seed,
        settling: 2.5e-6)
      {
        let isEmpty = row.compared == 0 || row.norm == 0
        let fine = !isEmpty && row.relativeError <= tolerance
        passed = passed && fine
        print(
          lane.name.padding(toLength: 16, withPad: " ", startingAt: 0) + " "
            + row.projection.padding(toLength: 16, withPad: " ", startingAt: 0)
            + String(
              format: "%10d%10d%11d  %.3e   %.2e  %@", row.compared, row.excluded, row.unsettled,
              row.norm,
              row.relativeError, fine ? "ok" : isEmpty ? "NOTHING TO COMPARE" : "FAILED"))
      }
    }
    if !passed { throw ExitCode(1) }
  }
}
