// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Runs

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "metrics.csv of runs in long form: a line for every number.",
    discussion: """
      Columns: run, seed, lane, epoch, metric, layer, value. All seeds of each run are in it. layer is that of spikes,
      spread, silent and dead, the array of gradient, else empty; all other metrics are called as in metrics.csv.
      Words (loss, shaping, alarms) and fields without a number have no line.
      """)

  @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"))
  var folders: [String]

  @Option(help: ArgumentHelp("Write to this file, in place of the terminal.", valueName: "file"))
  var out: String?

  func run() throws {
    let lines = try [LongMetrics.header] + folders.flatMap { try LongMetrics.lines(ofRun: $0) }
    let text = lines.joined(separator: "\n")
    guard let out else { return Console.out(text) }
    try AtomicFile.write(Array((text + "\n").utf8), to: out)
    Console.out("wrote \(lines.count - 1) lines to \(out)")
  }
}
