// SPDX-License-Identifier: MIT

import Charts
import SpikeData
import Experiments
import ArgumentParser
import Foundation
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

  @Option(
    help: ArgumentHelp(
      "Vary one size of a workload (S unless named): hidden, steps, spikes, batch, threads.",
      valueName: "axis"))
  var sweep: Workload.Axis?

  @Option(help: "With --sweep: write the table as CSV.", completion: .file())
  var csv: String?

  @Flag(help: "How fast this machine's caches deliver the rows that the grid solver sums.")
  var roofline = false

  @Option(
    name: .customLong("set"), help: "Override a key of the workload's preset.",
    completion: .settings)
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
    guard csv == nil || sweep != nil else { throw ValidationError("--csv goes with --sweep") }
    guard sweep == nil || workloads.count <= 1 else {
      throw ValidationError("--sweep takes one workload")
    }
  }

  func run() throws {
    if roofline { return measureRoofline() }
    if let sweep { return try run(sweep) }
    var load = [0.0, 0.0, 0.0]
    getloadavg(&load, 3)
    Console.out(
      String(
        format: "%d of %d cores, load %.2f, median of %d rounds of %g s, batch 32", threads,
        ProcessInfo.processInfo.activeProcessorCount, load[0], rounds, seconds))
    Console.out("   samples/s    per core         min         max  spikes/neuron  peak MB")
    let wanted = workloads.map { $0.uppercased() }
    for workload in Workload.all where wanted.isEmpty || wanted.contains(workload.name) {
      let results = try workload.measure(
        rounds: rounds, seconds: seconds, threads: threads, settings: settings)
      let rates = results.map(\.samplesPerSecond).sorted()
      let median = rates[rates.count / 2]
      let columns = [median, median / Double(threads), rates[0], rates[rates.count - 1]]
        .map { Text.grouped($0) }
        .map { Text.right($0, 12) }.joined()
      Console.out(
        workload.name + columns.dropFirst()
          + String(format: "%15.2f%9.0f", results[results.count - 1].hiddenSpikes, peakMegabytes()))
    }
  }

  private func measureRoofline() {
    Console.out("sums of 10 random rows of 1 KiB, one thread, load \(loadAverage)")
    Console.out("   matrix KiB       GB/s     GFLOP/s")
    var rates: [(bytes: Int, rate: Double)] = []
    for bytes in Roofline.sizes {
      let result = Roofline.measure(bytes: bytes)
      rates.append((result.bytes, result.gigabytesPerSecond))
      Console.out(
        String(
          format: "%13d %10.1f %11.1f", result.bytes >> 10, result.gigabytesPerSecond,
          result.gigaflops))
    }
    guard let workload = Workload.all.first(where: { $0.name == "S" }),
      let round = try? workload.measure(
        rounds: rounds, seconds: seconds, threads: 1, settings: settings
      ).sorted(by: { $0.samplesPerSecond < $1.samplesPerSecond })[rounds / 2]
    else { return }
    let rate = round.rowBytes * round.samplesPerSecond / 1e9
    let level = rates.first { $0.bytes >= 768 << 10 } ?? rates[rates.count - 1]
    Console.out(
      String(
        format:
          "S: %.0f samples/s, %.2f GFLOP/s; its rows %.1f GB/s, %.0f %% of what %d KiB deliver",
        round.samplesPerSecond,
        round.operations * round.samplesPerSecond / 1e9, rate, 100 * rate / level.rate,
        level.bytes >> 10))
  }

  private var loadAverage: String {
    var load = [0.0, 0.0, 0.0]
    getloadavg(&load, 3)
    return String(format: "%.2f", load[0])
  }

  /// Exponents are those of time per sample, and of arithmetic, from one line to the next.
  private func run(_ axis: Workload.Axis) throws {
    let name = workloads.first?.uppercased() ?? "S"
    let base = Workload.all.first { $0.name == name }!
    Console.out(
      "\(name) by \(axis.rawValue), \(threads) threads, load \(loadAverage), median of \(rounds) rounds of \(seconds) s"
    )
    Console.out(
      "\(axis.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0))  samples/s  us/sample  exponent  arithmetic   GFLOP/s  spikes/neuron  peak MB"
    )
    var lines = [
      "\(axis.rawValue),samples_per_second,us_per_sample,exponent,arithmetic_exponent,gflops,spikes_per_neuron,peak_mb"
    ]
    var last: (value: Double, time: Double, operations: Double)?
    let cores = ProcessInfo.processInfo.activeProcessorCount
    for value in axis.values(cores: cores) {
      let (workload, varied) = base.varied(axis, value)
      let results = try workload.measure(
        rounds: rounds, seconds: seconds, threads: axis == .threads ? value : threads,
        settings: settings + varied
      ).sorted { $0.samplesPerSecond < $1.samplesPerSecond }
      let median = results[results.count / 2]
      let time = 1e6 / median.samplesPerSecond
      var exponents = (time: Double.nan, operations: Double.nan)
      if let last {
        let ratio = log(Double(value) / last.value)
        exponents = (
          log(time / last.time) / ratio, log(median.operations / last.operations) / ratio
        )
      }
      last = (Double(value), time, median.operations)
      let gflops = median.operations * median.samplesPerSecond / 1e9
      func cell(_ x: Double) -> String { x.isNaN ? "-" : String(format: "%.2f", x) }
      let columns = [
        (Text.grouped(median.samplesPerSecond), 11), (String(format: "%.1f", time), 11),
        (cell(exponents.time), 10), (cell(exponents.operations), 12), (cell(gflops), 10),
        (cell(median.hiddenSpikes), 15), (String(format: "%.0f", peakMegabytes()), 9),
      ]
      Console.out(
        String(value).padding(toLength: 8, withPad: " ", startingAt: 0)
          + columns.map { Text.right($0, $1) }.joined())
      lines.append(
        "\(value),\(median.samplesPerSecond),\(time),\(exponents.time),\(exponents.operations),\(gflops),\(median.hiddenSpikes),\(peakMegabytes())"
      )
    }
    guard let csv else { return }
    guard
      FileManager.default.createFile(
        atPath: csv, contents: Data((lines.joined(separator: "\n") + "\n").utf8))
    else { throw FileError(csv, "cannot be written") }
    Console.out("wrote \(csv)")
  }

  /// Peak resident memory of this process so far.
  private func peakMegabytes() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}

extension Workload.Axis: ExpressibleByArgument {}
