// SPDX-License-Identifier: MIT

import ArgumentParser
import Workbench

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "A folder that explains a run and makes it again elsewhere.",
    discussion: """
      README.md with numbers, sentences, alarms and figures; figures as SVG and CSV; the tables, the preset and the \
      commands from which the same weights come again, bit by bit. The run stays as it is.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .run)
  var folder: String

  @Option(
    help: "Folder of the report: new, or one with an older report (default: report in the run).",
    completion: .directory)
  var out: String?

  @Option(help: "Checkpoint of this epoch, 12, or 12+40 (default: the last).")
  var epoch: String?

  @Option(
    name: .customLong("set"), help: "Override a key, as data.path=FOLDER.", completion: .settings)
  var settings: [String] = []

  func run() throws {
    var console = Console()
    let report = try Report(run: folder, out: out, epoch: epoch, settings: settings)
    let path = try report.write { console.note($0) }
    console.line("wrote \(path)/README.md")
  }
}
