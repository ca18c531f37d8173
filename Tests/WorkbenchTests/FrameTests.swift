// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Live
import Charts
import Foundation
import FoundationXML
@testable import Diagnosis
import Testing

@testable import Workbench

/// Screens as text against golden files. EVENTPROP_RECORD=1 writes them anew: look at each before
/// committing.
@Suite struct FrameTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden").path
  static let sizes = [(80, 24), (120, 40), (200, 60)]

  func check(_ name: String, _ canvas: Canvas) throws {
    let path = "\(Self.folder)/\(name).txt"
    let text = canvas.plainText + "\n"
    if ProcessInfo.processInfo.environment["EVENTPROP_RECORD"] != nil {
      try FileManager.default.createDirectory(
        atPath: Self.folder, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text == golden, "\(name) differs from its golden frame")
  }

  @Test(arguments: ScreenKind.allCases, sizes)
  func golden(screen: ScreenKind, size: (Int, Int)) throws {
    var state = WorkbenchState()
    state.screen = screen
    let canvas = Workbench.frame(state, sampleSnapshot(), width: size.0, height: size.1)
    try check("\(screen)-\(size.0)x\(size.1)", canvas)
  }

  @Test(arguments: [ScreenKind.overview, .compare], sizes)
  func goldenSeeds(screen: ScreenKind, size: (Int, Int)) throws {
    var state = WorkbenchState()
    state.screen = screen
    let canvas = Workbench.frame(state, seededSnapshot(), width: size.0, height: size.1)
    try check("seeds-\(screen)-\(size.0)x\(size.1)", canvas)
  }

  /// By hand: differences of 1, 2, 3 points have mean 2, sd 1, t 95 % half width 4.303 / sqrt 3.
  @Test func lanesAreComparedSeedBySeed() throws {
    let snapshot = seededSnapshot()
    let (a, b) = (snapshot.lanes[0], snapshot.lanes[1])
    #expect(b.seedTests.map(\.seed) == [1, 2, 3])
    let comparison = try #require(b.compared(to: a, looks: 1))
    #expect(abs(comparison.mean - 2) < 1e-9)
    #expect(abs(comparison.sd! - 1) < 1e-9)
    #expect(abs(comparison.halfWidth! - 4.302_652_73 / 3.0.squareRoot()) < 1e-6)
    // Median and range of 3 curves are their middle one and the others.
    let spread = SeedSpread([[(1, 3), (2, 5)], [(1, 4)], [(1, 9), (2, 6)]])
    #expect(spread.points.map(\.median) == [4, 5.5])
    #expect(spread.points.map(\.low) == [3, 5] && spread.points.map(\.high) == [9, 6])
    #expect(spread.points.map(\.seeds) == [3, 2])
    // Of a seed that is behind, the last epoch that all have is compared.
    var behind = snapshot
    behind.lanes[1].seeds[2].tests = b.seeds[2].tests.filter { $0.key <= 3 }
    #expect(behind.lanes[1].seedTests.map(\.accuracy).first == b.seeds[0].curves.testAccuracy.ys[2])
  }

  @Test(arguments: [Marks.block, .ascii]) func goldenMarks(marks: Marks) throws {
    let canvas = Workbench.frame(
      WorkbenchState(), sampleSnapshot(), width: 100, height: 30, marks: marks)
    try check("overview-\(marks)", canvas)
    if marks == .ascii {
      #expect(canvas.cells.allSatisfy { $0.glyph.isASCII })
    }
  }

  @Test func goldenHelpAndPrompts() throws {
    var state = WorkbenchState()
    state.isHelpShown = true
    try check("help-80x24", Workbench.frame(state, sampleSnapshot(), width: 80, height: 24))
    state.helpFilter = "history"
    try check("help-search", Workbench.frame(state, sampleSnapshot(), width: 80, height: 24))
  }

  /// Whatever the size, a frame has it, and what matters most stays.
  @Test func everySizeFits() {
    for screen in ScreenKind.allCases {
      var state = WorkbenchState()
      state.screen = screen
      var snapshot = sampleSnapshot(lanes: 3)
      snapshot.isPaused = true
      for (width, height) in [
        (0, 0), (1, 1), (5, 2), (20, 5), (33, 9), (60, 15), (79, 23), (300, 90),
      ] {
        let canvas = Workbench.frame(state, snapshot, width: width, height: height)
        #expect(canvas.width == width && canvas.height == height)
        if width >= 20 {
          #expect(canvas.plainText.contains("PAUSED"), "\(screen) \(width)x\(height)")
        }
      }
    }
  }

  @Test func emptySnapshotsAreDrawn() {
    for screen in ScreenKind.allCases {
      var state = WorkbenchState()
      state.screen = screen
      let canvas = Workbench.frame(state, Snapshot(), width: 80, height: 24)
      #expect(canvas.plainText.contains("starting"))
    }
  }

  @Test func failuresAndNaNAreShown() {
    var snapshot = sampleSnapshot()
    snapshot.failure = "lane a, epoch 3, batch 7: the loss is nan"
    snapshot.lanes[0].trainLoss = .nan
    snapshot.lanes[0].trial.voltages[0][3] = .nan
    snapshot.lanes[0].flow[0].norm = .infinity
    for screen in ScreenKind.allCases {
      var state = WorkbenchState()
      state.screen = screen
      let text = Workbench.frame(state, snapshot, width: 120, height: 40).plainText
      #expect(text.contains("STOPPED") && text.contains("batch 7: the loss is nan"))
    }
  }

  /// Long names and many classes: nothing is cut so that two look alike, and what is left out is
  /// said.
  @Test func classesKeepTheirNamesAndScroll() {
    var snapshot = sampleSnapshot()
    snapshot.classNames = (0..<30).map { "category_number_\($0)" }
    for lane in snapshot.lanes.indices {
      snapshot.lanes[lane].labels = (0..<90).map { $0 % 30 }
      snapshot.lanes[lane].predictions = (0..<90).map { $0 % 30 }
    }
    var state = WorkbenchState()
    state.screen = .compare
    func text() -> String { Workbench.frame(state, snapshot, width: 120, height: 50).plainText }
    #expect(text().contains("category_number_7 ") && text().contains("more classes, ↑ ↓"))
    #expect(text().contains("more ← →"))
    let first = text()
    #expect(!first.contains("category_number_29"))
    for _ in 0..<29 { _ = state.handle(.down, snapshot) }
    for _ in 0..<30 { _ = state.handle(.right, snapshot) }
    #expect(text().contains("category_number_29") && text().contains("none"))
    #expect(ClassesPanel.fit("category_number_29", 9) == "cate…r_29")
  }

  /// What W did is one line with its count; what is hidden is counted.
  @Test func liftsAreOneLineOfTheLog() {
    var snapshot = sampleSnapshot()
    func mark(_ epoch: Int, _ text: String) -> CommandMark {
      CommandMark(position: Double(epoch), epoch: epoch, batch: 0, lane: "A", text: text)
    }
    snapshot.marks =
      (0..<40).map { mark($0, "rate 0.\($0)") }
      + (0..<64).map { mark(50, "lift \(Double($0 + 1) / 10) hidden1 \($0)") }
      + [mark(50, "lift 0.5 hidden2 3"), mark(51, "lift 0.5 hidden2 4")]
    let lines = LogScreen.lines(snapshot.marks)
    #expect(lines.count == 43)
    #expect(lines[40] == "epoch 50 batch 0  A  lift 64 neurons of hidden1 by 0.100 to 6.40")
    #expect(lines[41].hasSuffix("lift 0.5 hidden2 3"))
    var state = WorkbenchState()
    state.screen = .log
    let text = Workbench.frame(state, snapshot, width: 120, height: 40).plainText
    #expect(text.contains("10 earlier ones: commands.jsonl"), "\(text)")
    #expect(text.contains("lift 64 neurons"))
  }

  /// Sorted by spikes, a line says where the neurons without one begin.
  @Test func rasterSaysWhereSilenceBegins() {
    var state = WorkbenchState()
    state.screen = .raster
    state.order = .firstSpike
    let text = Workbench.frame(state, sampleSnapshot(), width: 120, height: 40).plainText
    #expect(
      text.contains(" without a spike ┄") && text.contains(" first") && text.contains(" last"))
  }

  /// Class names from files may hold anything: tables keep their columns, SVG is XML.
  @Test func hostileNamesStayWithinTheirFields() throws {
    var snapshot = sampleSnapshot()
    snapshot.classNames = ["yes, sir", "say \"no\"", "a\nb\u{1B}[2J<&>"]
    for lane in snapshot.lanes.indices {
      snapshot.lanes[lane].labels = [0, 1, 2]
      snapshot.lanes[lane].predictions = [2, 1, 0]
    }
    var state = WorkbenchState()
    state.screen = .compare
    let table = try #require(
      FigureFiles.tables(state, snapshot).first { $0.name == "confusion" })
    for line in table.csv.split(separator: "\n") {
      #expect(CSV.fields(String(line)).count == 6, "\(line)")
    }
    #expect(table.csv.contains("\"yes, sir\"") && table.csv.contains("a\\u{A}b\\u{1B}[2J<&>"))
    let svg = Workbench.svg(state, snapshot)
    let parser = XMLParser(data: Data(svg.utf8))
    #expect(parser.parse(), "\(parser.parserError.debugDescription)")
    let frame = Workbench.frame(state, snapshot, width: 120, height: 40)
    #expect(frame.cells.allSatisfy { $0.glyph.unicodeScalars.first!.value >= 0x20 })
  }

  /// A list that is cut says how much of it is missing.
  @Test func cutListsSayHowMuchIsLeft() {
    var snapshot = sampleSnapshot()
    var ledger = snapshot.lanes[0].ledger!
    ledger.layers[0].deleted = 64
    ledger.events = (0..<64).map {
      SpikeEvent(kind: .deleted, trial: 0, layer: 0, neuron: $0, time: 1, lossChange: 1e-3)
    }
    snapshot.lanes[0].ledger = ledger
    var state = WorkbenchState()
    state.screen = .ledger
    let text = Workbench.frame(state, snapshot, width: 120, height: 40).plainText
    let shown = text.components(separatedBy: "deleted  hidden1").count - 1
    #expect(text.contains("\(65 - shown) more"))
    #expect(Lines.fitting(5, rows: 5) == (5, 0) && Lines.fitting(6, rows: 5) == (4, 2))
  }

  @Test func svgAndCSVComeFromTheSameState() throws {
    for screen in ScreenKind.allCases {
      var state = WorkbenchState()
      state.screen = screen
      let svg = Workbench.svg(state, sampleSnapshot())
      let parser = XMLCheck()
      #expect(parser.isWellFormed(svg), "\(screen)")
      for table in FigureFiles.tables(state, sampleSnapshot()) {
        let rows = table.csv.split(separator: "\n")
        let widths = Set(
          rows.map { $0.split(separator: ",", omittingEmptySubsequences: false).count })
        #expect(widths.count == 1 && rows.count > 2, "\(screen) \(table.name)")
      }
    }
  }
}

/// Enough of a check for generated SVG: balanced tags, no stray ampersands.
struct XMLCheck {
  func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    for tag in text.split(separator: "<").map({ $0.prefix { $0 != ">" } }).dropFirst(0) {
      if tag.isEmpty { continue }
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return false }
      } else if !tag.hasSuffix("/") {
        open.append(tag.prefix { $0 != " " && $0 != "\n" })
      }
    }
    return open.isEmpty && !text.contains("& ")
  }
}
