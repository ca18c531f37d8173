// SPDX-License-Identifier: MIT

import Charts
import Testing

@testable import Workbench

/// The list of runs to choose from.
@Suite struct RunListTests {
  @Test func keysChoose() {
    var view = RunListView()
    #expect(view.handle(.enter, count: 3) == .open([0]))
    #expect(view.handle(.down, count: 3) == nil && view.row == 1)
    #expect(view.handle(.character(" "), count: 3) == nil && view.row == 2)
    #expect(view.handle(.character(" "), count: 3) == nil && view.row == 2)
    #expect(view.handle(.enter, count: 3) == .open([1, 2]))
    #expect(view.handle(.character(" "), count: 3) == nil && view.marked == [1])
    #expect(view.handle(.end, count: 3) == nil && view.handle(.home, count: 3) == nil)
    #expect(view.row == 0)
    // Fewer than before: what is no more is not opened.
    #expect(view.handle(.enter, count: 1) == .open([0]))
    #expect(view.handle(.character("r"), count: 1) == .read && view.marked.isEmpty)
    #expect(view.handle(.enter, count: 0) == nil)
    #expect(view.handle(.character("x"), count: 1) == nil && !view.notice.isEmpty)
    #expect(view.handle(.character("q"), count: 1) == .quit)
  }

  @Test func everySizeFits() {
    let lines = ["run  state"] + (0..<40).map { "run-\($0)  finished" }
    var view = RunListView()
    for _ in 0..<30 { _ = view.handle(.down, count: 40) }
    for width in [1, 20, 80, 200] {
      for height in [1, 5, 7, 24, 60] {
        let canvas = view.frame(lines, folder: "runs", width: width, height: height)
        #expect(canvas.width == width && canvas.height == height)
        guard width >= 80, height >= 24 else { continue }
        let text = canvas.plainText
        #expect(text.contains("runs in runs: 40") && text.contains("▶  run-30"))
      }
    }
    let empty = RunListView().frame(["run"], folder: "f", width: 80, height: 24).plainText
    #expect(empty.contains("none yet"))
  }
}
