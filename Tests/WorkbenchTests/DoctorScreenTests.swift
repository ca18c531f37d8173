// SPDX-License-Identifier: MIT

@testable import Live
@testable import Training
import Diagnosis
import Testing

@testable import Workbench

@Suite struct DoctorScreenTests {
  private func opened() -> WorkbenchState {
    var state = WorkbenchState()
    _ = state.handle(.character("i"), sampleSnapshot())
    return state
  }

  private func text(_ state: WorkbenchState, _ snapshot: Snapshot, _ width: Int = 120) -> String {
    Workbench.frame(state, snapshot, width: width, height: width == 80 ? 24 : 40).plainText
  }

  @Test func asksForTheReportOfItsTarget() {
    var state = opened()
    #expect(state.screen == .doctor && state.detail == .doctor(target: nil))
    _ = state.handle(.character("+"), sampleSnapshot())
    #expect(state.detail == .doctor(target: 1.5))
    for _ in 0..<30 { _ = state.handle(.character("-"), sampleSnapshot()) }
    #expect(state.detail == .doctor(target: 0.1))
    state.screen = .overview
    for (words, target) in [("target 10", 10.0), ("target auto", nil)] {
      state.prompt = Prompt(.command, text: words)
      let detail = Detail.doctor(target: target)
      #expect(state.handle(.enter, sampleSnapshot()) == [.engine(.detail(detail))])
      #expect(state.detail == detail && state.screen == .doctor)
    }
    state.prompt = Prompt(.command, text: "target 0")
    _ = state.handle(.enter, sampleSnapshot())
    #expect(state.notice.contains("allowed is a number of spikes"))
  }

  /// One key gives the command, which is logged; until the new report is there, not again.
  @Test func theKeyScalesTheWeightsOnce() {
    var (state, snapshot) = (opened(), sampleSnapshot())
    #expect(text(state, snapshot).contains("S: scale 1.43 hidden1"))
    let scale = ScaleWeights(lane: 0, by: 1.43, layer: 0)
    #expect(state.handle(.character("S"), snapshot) == [.change(scale)])
    #expect(CommandTable.command(["scale", "1.43", "hidden1"], lane: 0)?.text == scale.text)
    #expect(state.handle(.character("S"), snapshot) == [])
    #expect(state.notice.contains("a new report is under way"), "\(state.notice)")
    snapshot.lanes[0].doctor?.isStale = true
    snapshot.marks.append(
      CommandMark(position: 12.3, epoch: 12, batch: 3, lane: "lane-0", text: scale.text))
    #expect(text(state, snapshot).contains("computing anew"))
    // Then what was is beside what is; and no longer once something else has been done.
    snapshot.lanes[0].doctor = InitFinding(
      number: 2, position: 12.3, asked: nil, report: sampleReport(rate: 1.2))
    let after = text(state, snapshot)
    #expect(after.contains("after scale 1.43 hidden1") && after.contains("  was "))
    #expect(!after.contains("S: scale"))
    snapshot.marks.append(
      CommandMark(position: 12.3, epoch: 12, batch: 3, lane: "", text: "undo"))
    #expect(!text(state, snapshot).contains("  was "))
  }

  /// Rows are chosen by arrows and by clicks; what no command does says so.
  @Test func adviceIsChosen() throws {
    var (state, snapshot) = (opened(), sampleSnapshot())
    _ = state.handle(.down, snapshot)
    #expect(
      state.handle(.enter, snapshot) == [.change(SetShaping(lane: 0, .exponential(scale: 1)))])
    state.treated = nil
    _ = state.handle(.down, snapshot)
    #expect(state.handle(.character("S"), snapshot) == [])
    #expect(state.notice.contains("no command does this"), "\(state.notice)")
    for size in [(80, 24), (120, 40), (200, 60)] {
      let frame = Workbench.frame(state, snapshot, width: size.0, height: size.1).plainText
      let lines = frame.split(separator: "\n", omittingEmptySubsequences: false)
      let row = try #require(lines.firstIndex { $0.contains("hidden1: 81 %") }, "\(frame)")
      _ = state.click(x: 10, y: row, width: size.0, height: size.1, snapshot)
      #expect(state.adviceRow == 1)
      state.adviceRow = 2
    }
    // Neither of the past nor of finished runs.
    state.adviceRow = 0
    state.back = 1
    #expect(state.handle(.character("S"), snapshot) == [] && state.notice.contains("past"))
    state.back = 0
    snapshot.isStill = true
    #expect(state.handle(.character("S"), snapshot) == [] && state.notice.contains("finished"))
  }

  @Test func saysWhenAndWaits() {
    var (state, snapshot) = (opened(), sampleSnapshot())
    #expect(text(state, snapshot, 80).contains("weights at epoch 12.3: A"))
    snapshot.lanes[0].doctor?.position = 0
    #expect(text(state, snapshot, 80).contains("weights before the first batch: A"))
    snapshot.lanes[0].doctor = nil
    #expect(text(state, snapshot, 80).contains("computing"))
    #expect(state.handle(.character("S"), snapshot) == [])
    #expect(state.notice.contains("the report is under way"))
  }

  /// The table is that of the command, every lane in it.
  @Test func tableIsThatOfTheCommand() throws {
    let table = try #require(DoctorScreen.tables(opened(), sampleSnapshot()).first)
    let lines = table.csv.split(separator: "\n")
    #expect(table.name == "doctor" && lines.count == 1 + 2 * 3)
    #expect(lines[0] == DoctorText.header)
    #expect(
      lines[1].hasPrefix("lane-0,hidden1,20,32,1.0,") && lines[4].hasPrefix("lane-1,hidden1,"))
    let columns = lines[0].split(separator: ",").count
    for line in lines {
      #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == columns)
    }
  }

  /// Every tab can be told from the others, at 80 columns too.
  @Test(arguments: [80, 100, 120, 200]) func tabsAreToldApart(width: Int) {
    let tabs = Tabs.layout(width: width)
    #expect(tabs.allSatisfy { $0.text.count >= 5 && $0.x.upperBound <= width })
    #expect(Set(tabs.map(\.text)).count == tabs.count)
    for (a, b) in zip(tabs, tabs.dropFirst()) {
      #expect(a.x.upperBound == b.x.lowerBound && a.text.count < a.x.count)
    }
    for tab in tabs { #expect(Tabs.screen(at: tab.x.lowerBound + 1, width: width) == tab.screen) }
  }
}
