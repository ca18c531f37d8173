import Charts
import Foundation
import Testing
import Training

@testable import Workbench

/// Screens as text against golden files. EVENTPROP_RECORD=1 writes them anew: look at each before committing.
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
