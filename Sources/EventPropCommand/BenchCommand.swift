import ArgumentParser
import Foundation
import Training
import Workbench

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Training speed in samples/s (forward, backward, Adam) on synthetic workloads.",
    discussion: Workload.all.map { "\($0.name)  \($0.title)" }.joined(separator: "\n"))

  @Argument(help: "Workloads by letter (default: all).")
  var workloads: [String] = []

  @Option(help: "Threads.")
  var threads: Int = 1

  @Option(help: "Measured rounds; their median is quoted.")
  var rounds: Int = 5

  @Option(help: "Seconds a round.")
  var seconds: Double = 1

  @Option(name: .customLong("set"), help: "Override a key of the workload's preset.")
  var settings: [String] = []

  func validate() throws {
    for name in workloads where !Workload.all.contains(where: { $0.name == name.uppercased() }) {
      let known = Workload.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no workload \(name); there are \(known)")
    }
    guard (1...256).contains(threads), (1...1000).contains(rounds), seconds > 0, seconds < 3600
    else {
      throw ValidationError("--threads 1 to 256, --rounds 1 to 1000, --seconds above 0")
    }
  }

  func run() throws {
    var load = [0.0, 0.0, 0.0]
    getloadavg(&load, 3)
    print(
      String(
        format: "%d of %d cores, load %.2f, median of %d rounds of %g s, batch 32", threads,
        ProcessInfo.processInfo.activeProcessorCount, load[0], rounds, seconds))
    print("   samples/s    per core         min         max  spikes/neuron  peak MB")
    let wanted = workloads.map { $0.uppercased() }
    for workload in Workload.all where wanted.isEmpty || wanted.contains(workload.name) {
      let results = try workload.measure(
        rounds: rounds, seconds: seconds, threads: threads, settings: settings)
      let rates = results.map(\.samplesPerSecond).sorted()
      let median = rates[rates.count / 2]
      let columns = [median, median / Double(threads), rates[0], rates[rates.count - 1]]
        .map { Wording.grouped($0) }
        .map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined()
      print(
        workload.name + columns.dropFirst()
          + String(format: "%15.2f%9.0f", results[results.count - 1].hiddenSpikes, peakMegabytes()))
    }
  }

  /// Peak resident memory of this process so far.
  private func peakMegabytes() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}
