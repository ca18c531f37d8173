// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import Live
import Runs
import Training
import ArgumentParser
import Charts
import Foundation
import Workbench

struct FigureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figure",
    abstract: "A figure for papers, or a screen of the workbench, from checkpoints of runs.",
    discussion: """
      --figure NAME draws one panel with axes, units and legend as SVG or PDF, or writes the numbers drawn as CSV:
      \(FigureKind.allCases.map { "  \(Text.pad("\($0)", 15))\($0.title)" }.joined(separator: "\n"))
      --panel NAME draws a screen as it is in the terminal. Without either: the screen overview.
      """)

  @Argument(
    help: ArgumentHelp("The folder of a run, or of several to show together.", valueName: "run"),
    completion: .run)
  var folders: [String]

  @Option(
    help: "Which figure: \(FigureKind.allCases.map { "\($0)" }.joined(separator: ", ")).",
    completion: .figure)
  var figure: String?

  @Option(help: "Width and height of the figure, mm (default: 85x60).")
  var size: String?

  @Option(help: "Size of the figure's text, pt (default: 7).")
  var font: Double?

  @Option(
    help:
      "Place of the figure's legend: \(PaperLegendPlace.allCases.map(\.rawValue).joined(separator: ", ")) (default: auto, inside where it covers no data).",
    completion: .list(PaperLegendPlace.allCases.map(\.rawValue)))
  var legend: String?

  @Option(help: "A title above the figure.")
  var title: String?

  @Flag(help: "Logarithmic y axis, or colours, of figures that have a choice.")
  var log = false

  @Option(help: "Hidden layer of figures of one layer, from 1 on.")
  var layer: Int?

  @Option(
    help: "Which screen: \(ScreenKind.allCases.map { "\($0)" }.joined(separator: ", ")).",
    completion: .panel)
  var panel: String?

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last).")
  var epoch: String?

  @Option(help: "Lane by number, 0 for the first; of several runs counted through.")
  var lane: Int = 0

  @Option(help: "Probe sample by number.")
  var probe: Int = 0

  @Option(help: "Columns of the screen (default: 120).")
  var columns: Int?
  @Option(help: "Rows of the screen (default: 40).")
  var rows: Int?

  @Option(
    help:
      "File to write; its ending says what: .svg, .pdf, .csv of a figure; .svg, .csv, .txt of a screen.",
    completion: .file())
  var out: String

  @Option(
    help: "Which of the screen's tables a .csv gets (default: the first; a wrong name lists them).")
  var table: String?

  @Option(
    name: .customLong("set"), help: "Override a key, as data.path=FOLDER.", completion: .settings)
  var settings: [String] = []

  private var ending: String { (out as NSString).pathExtension }

  func validate() throws {
    guard figure == nil || panel == nil else {
      throw ValidationError(
        "--figure draws a figure for papers, --panel a screen: only one of them at a time")
    }
    if figure != nil { try validateFigure() } else { try validateScreen() }
  }

  private func validateFigure() throws {
    let names = FigureKind.allCases.map { "\($0)" }
    guard let figure, names.contains(figure) else {
      throw ValidationError(
        "--figure is \(figure ?? ""), allowed are \(names.joined(separator: ", "))")
    }
    guard ["svg", "pdf", "csv"].contains(ending) else {
      throw ValidationError("with --figure, --out must end in .svg, .pdf or .csv")
    }
    for (option, isGiven) in [
      ("--columns", columns != nil), ("--rows", rows != nil), ("--table", table != nil),
    ] where isGiven {
      throw ValidationError("\(option) is of a screen (--panel), not of --figure")
    }
    if let layer, layer < 1 { throw ValidationError("--layer is \(layer), allowed is 1 and more") }
    _ = try style()
  }

  private func validateScreen() throws {
    let panels = ScreenKind.allCases.map { "\($0)" }
    if let panel, !panels.contains(panel) {
      throw ValidationError("--panel is \(panel), allowed are \(panels.joined(separator: ", "))")
    }
    guard ["svg", "csv", "txt"].contains(ending) else {
      throw ValidationError("--out must end in .svg, .csv or .txt; .pdf is for --figure")
    }
    guard (20...400).contains(columns ?? 120), (5...200).contains(rows ?? 40) else {
      throw ValidationError("--columns 20 to 400, --rows 5 to 200")
    }
    for (option, isGiven) in [
      ("--size", size != nil), ("--font", font != nil), ("--legend", legend != nil),
      ("--title", title != nil), ("--log", log), ("--layer", layer != nil),
    ] where isGiven {
      throw ValidationError("\(option) goes with --figure NAME")
    }
  }

  /// As the options say.
  private func style() throws -> PaperStyle {
    var style = PaperStyle()
    if let size {
      let parts = size.split(separator: "x", omittingEmptySubsequences: false).map { Double($0) }
      guard parts.count == 2, let width = parts[0], let height = parts[1],
        (20...500).contains(width), (15...500).contains(height)
      else {
        throw ValidationError(
          "--size is \(size), allowed is WIDTHxHEIGHT in mm, as 85x60, from 20x15 to 500x500")
      }
      (style.width, style.height) = (width, height)
    }
    if let font {
      guard (4...24).contains(font) else {
        throw ValidationError("--font is \(Text.plain(font)), allowed is 4 to 24")
      }
      style.font = font
    }
    if let legend {
      guard let place = PaperLegendPlace(rawValue: legend) else {
        let all = PaperLegendPlace.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--legend is \(legend), allowed are \(all)")
      }
      style.legend = place
    }
    return style
  }

  func run() throws {
    var state = WorkbenchState()
    state.lane = lane
    state.screen = ScreenKind.allCases.first { "\($0)" == panel ?? "overview" }!
    let kind = figure.flatMap { FigureKind(name: $0) }
    let snapshot = try read(detail: kind.map { $0.detail } ?? state.detail)
    let data =
      if let kind { try paper(kind, snapshot) } else { Data(try screen(state, snapshot).utf8) }
    guard FileManager.default.createFile(atPath: out, contents: data) else {
      throw FileError(out, "cannot be written")
    }
    Console.out("wrote \(out)")
  }

  private func read(detail: Detail?) throws -> Snapshot {
    let items = try folders.map { folder in
      FinishedRuns.Item(
        preset: try Preset(ofRun: folder, settings: settings), folder: folder,
        place: try Checkpoint.find(in: folder, named: epoch))
    }
    let snapshot = try FinishedRuns(items, probe: probe, detail: detail).snapshot(after: 0)!
    guard (0..<snapshot.probes).contains(probe) else {
      throw FileError(
        "--probe", "is \(probe); the samples shown are 0 to \(snapshot.probes - 1)")
    }
    guard snapshot.lanes.indices.contains(lane) else {
      throw FileError(
        folders.joined(separator: ", "),
        "has no lane \(lane); there are 0 to \(snapshot.lanes.count - 1)")
    }
    return snapshot
  }

  private func paper(_ kind: FigureKind, _ snapshot: Snapshot) throws -> Data {
    var options = FigureOptions()
    options.style = try style()
    options.title = title ?? ""
    options.isLogarithmic = log
    options.lane = lane
    options.layer = (layer ?? 1) - 1
    options.settings = settings
    let made: PaperFigure
    do {
      made = try kind.make(options, snapshot)
    } catch {
      throw FileError("--figure \(kind)", "\(error)")
    }
    if ending == "csv" { return Data(made.csv.utf8) }
    guard made.hasRoom else {
      throw FileError(
        "--size",
        "leaves no room between the axes with text of \(Text.plain(options.style.font)) pt")
    }
    return ending == "pdf" ? try PDFConverter().pdf(ofSVG: made.svg, out) : Data(made.svg.utf8)
  }

  private func screen(_ state: WorkbenchState, _ snapshot: Snapshot) throws -> String {
    switch ending {
    case "csv":
      let tables = FigureFiles.tables(state, snapshot)
      let wanted = table ?? tables[0].name
      guard let found = tables.first(where: { $0.name == wanted }) else {
        let names = tables.map(\.name).joined(separator: ", ")
        throw FileError("--table", "\(state.screen) has no table \(wanted); there are \(names)")
      }
      return found.csv
    case "txt":
      return Workbench.frame(state, snapshot, width: columns ?? 120, height: rows ?? 40).plainText
        + "\n"
    default:
      return Workbench.svg(state, snapshot, width: columns ?? 120, height: rows ?? 40)
    }
  }
}
