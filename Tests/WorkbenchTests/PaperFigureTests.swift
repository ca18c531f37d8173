// SPDX-License-Identifier: MIT

import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import Charts
@testable import Experiments
@testable import Live
@testable import Workbench

@Suite struct PaperFigureTests {
  private func snapshot() -> Snapshot {
    var snapshot = sampleSnapshot()
    var source = RunSource()
    (source.folder, source.preset, source.seed) = ("runs/my run-1", "sample", 7)
    (source.epoch, source.batch, source.commands) = (12, 3, 1)
    snapshot.sources = [source]
    snapshot.isStill = true
    return snapshot
  }

  /// Every figure is XML with named axes, the run in its metadata, and a table with its numbers.
  @Test func everyFigureHasAxesNumbersAndMetadata() throws {
    let units = [
      "loss": "epoch", "accuracy": "test accuracy (%)", "rates": "spikes per neuron and trial",
      "norms": "gradient norm", "silence": "dead neurons (% of the layer)",
      "raster": "time (ms)", "heatmap": "spikes per trial", "gradient-time": "time (ms)",
      "error-time": "time (ms)", "shaping": "weight w(t) of the loss",
      "slice": "probe loss L(w+aΔw)",
    ]
    for kind in FigureKind.allCases {
      let figure = try kind.make(FigureOptions(), snapshot())
      let svg = figure.svg
      #expect(figure.hasRoom && isXML(svg), "\(kind)")
      #expect(svg.contains(">\(try #require(units["\(kind)"]))</text>"), "\(kind)")
      #expect(svg.contains("ep:seed=\"7\" ep:epoch=\"12\" ep:batch=\"3\""), "\(kind)")
      #expect(svg.contains("<dc:creator>\(RunSource.program)</dc:creator>"))
      #expect(
        svg.contains(
          "eventprop figure 'runs/my run-1' --figure \(kind) --epoch 12+3 --size 85x60 --font 7 --probe 3 --out \(kind).svg"
        ))
      let rows = figure.csv.split(separator: "\n")
      #expect(
        rows.count > 2 && Set(rows.map { CSV.fields(String($0)).count }).count == 1, "\(kind)")
    }
    #expect(FigureKind(name: "pie") == nil)
  }

  @Test func curvesAreThoseOfTheSnapshot() throws {
    let snapshot = snapshot()
    let figure = try FigureKind(AccuracyFigure.self).make(FigureOptions(), snapshot)
    let curve = snapshot.lanes[1].curves.testAccuracy
    let line = figure.panels[0].marks[1]
    #expect(line.points == zip(curve.xs, curve.ys).map { PaperPoint($0, 100 * $1) })
    #expect(line.name.hasPrefix("B sum · plain, was avg_xentropy"))
    let rows = figure.csv.split(separator: "\n")
    #expect(rows[0] == "panel,series,mark,epoch,y" && rows.count == 1 + 2 * curve.xs.count)
    #expect(figure.svg.contains(">A sum · exponential</text>"))
    // The second lane's loss was changed at 4.5: two pieces.
    let loss = try FigureKind(LossFigure.self).make(FigureOptions(), snapshot)
    #expect(loss.panels[0].marks[1].points.count { !$0.y.isFinite } == 1)
    #expect(loss.panels[0].y.name == "training loss, each its own")
    var live = snapshot
    live.isStill = false
    let batches = try FigureKind(LossFigure.self).make(FigureOptions(), live)
    #expect(batches.panels[0].y.name.hasSuffix("(by batch)"))
  }

  @Test func figuresWithoutNumbersSayWhy() {
    var empty = snapshot()
    for index in empty.lanes.indices {
      let lane = empty.lanes[index]
      empty.lanes[index] = LaneSnapshot()
      empty.lanes[index].letter = lane.letter
    }
    for kind in FigureKind.allCases where "\(kind)" != "raster" {
      #expect(throws: FigureObstacle.self, "\(kind)") { try kind.make(FigureOptions(), empty) }
    }
    empty.lanes = []
    #expect(throws: FigureObstacle.self) {
      try FigureKind(LossFigure.self).make(FigureOptions(), empty)
    }
  }

  /// Runs and lanes may be called anything.
  @Test func hostileLanesStayText() throws {
    var snapshot = snapshot()
    snapshot.classNames = ["<&>", "]]>", "\u{1B}[2J"]
    snapshot.lanes[0].name = "a\u{0}\u{1B}<&]]>\"'"
    snapshot.lanes[0].description = "sum]]></text><script>\u{7}"
    snapshot.sources[0].folder = "runs/<&\"'\u{1}]]>"
    for kind in FigureKind.allCases {
      let svg = try kind.make(FigureOptions(), snapshot).svg
      #expect(isXML(svg) && !svg.contains("<script>"), "\(kind)")
    }
  }

  /// `x` writes the figures of the screen beside it.
  @Test func exportWritesThePaperFigures() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("figures-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var snapshot = snapshot()
    snapshot.runPath = folder.path
    var state = WorkbenchState()
    state.screen = .compare
    let written = try FigureFiles.write(state, snapshot)
    let base = "compare-epoch12-batch3"
    #expect(written.suffix(2) == ["\(base)-accuracy.svg", "\(base)-loss.svg"])
    for name in written.suffix(2) {
      let svg = try String(
        contentsOf: folder.appendingPathComponent("figures/\(name)"), encoding: .utf8)
      #expect(isXML(svg) && svg.contains("width=\"85mm\""))
    }
    for screen in ScreenKind.allCases {
      state.screen = screen
      #expect(FigureFiles.papers(state, snapshot).count == screen.screen.figures.count)
    }
  }

  private func isXML(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }
}
