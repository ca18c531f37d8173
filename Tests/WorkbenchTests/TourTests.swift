// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Live
import Testing
import Training

@testable import Workbench

@Suite struct TourTests {
  static let card = PresetCard([
    "What it shows.", "When start: Same weights.", "When B leads A by 10: B has {B}, A {A}.",
    "When A is late: {late A} is late.", "When nonsense: no step.", "Takes: 15 s.",
    "Healed by s.",
  ])

  @Test func cardsAreReadFromComments() {
    let card = Self.card
    #expect(card.shows == "What it shows." && card.takes == "15 s" && card.healedBy == "s.")
    #expect(
      card.steps.map(\.condition) == [.start, .leads(1, over: 0, points: 10), .late(0)])
    #expect(card.notes.count == 1 && card.notes[0].hasPrefix("When nonsense"))
    #expect(PresetCard(["Shows.", "goes on", "Look at: it."]).allSteps.count == 2)
  }

  /// In order, each as it becomes true, and it stays said.
  @Test func sentencesComeWhenTheyAreTrue() {
    var snapshot = sampleSnapshot()
    snapshot.card = Self.card
    snapshot.lanes = Array(snapshot.lanes.prefix(2))
    for index in snapshot.lanes.indices { snapshot.lanes[index].identity = index }
    snapshot.lanes[0].testAccuracy = 0.2
    snapshot.lanes[1].testAccuracy = 0.25
    var tour = Tour(isShown: true)
    tour.follow(snapshot)
    #expect(tour.said == 1)
    // What comes later waits for its turn.
    let late = LayerEpoch(
      rates: [1], gradientByTenth: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    snapshot.lanes[0].activity = [EpochActivity(epoch: 1, layers: [late])]
    tour.follow(snapshot)
    #expect(tour.said == 1)
    snapshot.lanes[1].testAccuracy = 0.31
    tour.follow(snapshot)
    #expect(tour.said == 3)
    snapshot.lanes[1].testAccuracy = 0.1
    tour.follow(snapshot)
    #expect(tour.said == 3)
    #expect(
      CardPanel.filled("{B}, {A}, {late A}", snapshot)
        == "\(Text.percent(0.1)), \(Text.percent(0.2)), 75 %")
  }

  @Test func escClosesTheCardAndOtherKeysDoNot() {
    var snapshot = sampleSnapshot()
    snapshot.card = Self.card
    var state = WorkbenchState()
    state.tour = Tour(isShown: true)
    state.tour.follow(snapshot)
    let shown = Workbench.frame(state, snapshot, width: 120, height: 40).plainText
    #expect(shown.contains("Same weights.") && shown.contains("Esc closes"))
    _ = state.handle(.character("3"), snapshot)
    #expect(state.tour.isShown && state.screen == .gradients)
    _ = state.handle(.escape, snapshot)
    #expect(!state.tour.isShown)
    #expect(
      !Workbench.frame(state, snapshot, width: 120, height: 40).plainText.contains("Same weights."))
  }

  /// A click on a tab shows its screen, at every width.
  @Test(arguments: [80, 100, 120, 200]) func tabsAreClicked(width: Int) {
    let tabs = Tabs.layout(width: width)
    #expect(tabs.map(\.screen) == ScreenKind.allCases)
    #expect(tabs.last!.x.upperBound <= width)
    for tab in tabs {
      var state = WorkbenchState()
      _ = state.click(
        x: tab.x.lowerBound, y: 1, width: width, height: 40, sampleSnapshot())
      #expect(state.screen == tab.screen)
    }
  }
}
