// SPDX-License-Identifier: MIT

import Live
import Training
import Charts
import EventPropCore

/// Everything a frame depends on besides the snapshot: a value, changed by keys only.
public struct WorkbenchState: Sendable {
  /// Decides which keys do something, and which detail snapshots are to hold.
  public var screen = ScreenKind.overview
  /// Which keys do what.
  public var keys = KeyMap()
  /// The lane that keys act on.
  public var lane = 0
  /// The seed whose curves and numbers are shown, an index; nil: all, as median and range. The
  /// network that is shown is then that of the first.
  public var seed: Int?
  /// How many snapshots back in history; 0 is live.
  public var back = 0
  /// While shown it takes the keys: letters are its search, not actions.
  public var isHelpShown = false
  /// While shown it takes the keys; where help is open too, help has them.
  public var isAlarmListShown = false
  /// Alarm list: the chosen row.
  public var alarmRow = 0
  /// Help: words that an action's name, title or keys all hold; empty finds all.
  public var helpFilter = ""
  /// Help: the chosen action among those found.
  public var helpRow = 0
  /// Text being typed after `:` or for a value; nil when no prompt is open.
  public var prompt: Prompt?
  /// What must be answered first.
  public var question: Question?
  /// The preset's card.
  public var tour = Tour()
  /// For the bottom line, until the next key or click; empty shows the keys there.
  public var notice = ""
  /// Raster: shown part of the trial in shares of T, chosen layer, order of neurons.
  public var zoom = 0.0...1.0
  /// Gradients and margins show it too; `0` is hidden1, a number too large means the last layer.
  public var layer = 0
  /// Raster: how its rows are sorted, anew for every trial shown unless by index.
  public var order = RasterOrder.index
  /// Raster: the time read out, as a share of T, and the centre of zooming; nil: none.
  public var cursor: Double?
  /// Raster: the neurons shown; empty shows all.
  public var neurons: [Int] = []
  /// Compare: logarithmic loss axis.
  public var isLogarithmic = false
  /// Compare: factor on the weight of older points of the loss per batch; 0 is no smoothing.
  public var smoothing = 0.9
  /// Log: first line shown. Compare: first class; and first column of the confusion.
  public var scroll = 0
  /// Compare: first column of the confusion that is shown, counted from 0.
  public var scrollColumn = 0
  /// Silence: the chosen row of the list as it is ordered and filtered.
  public var row = 0
  /// Silence: how the list is sorted; `row` counts in this order.
  public var silenceOrder = SilenceOrder.index
  /// Silence: only neurons of which a line holds all these words.
  public var silenceFilter = ""
  /// Raster: what the last observed update did is marked.
  public var hasMarks = true
  /// Rates: how its rows are sorted.
  public var ratesOrder = RatesOrder.death
  /// Trace: the neuron and its spike; nil is the first neuron. Chosen on Silence, Raster, Rates.
  public var traced: Traced?
  /// Doctor: the spikes per neuron and trial wished; nil: by the length of trials.
  public var doctorTarget: Double?
  /// Doctor: the chosen advice; nil: the first that a command does.
  public var adviceRow: Int?
  /// Doctor: what was done last.
  public var treated: Treated?
  /// Shaping: corner being moved.
  public var corner = 0

  /// What snapshots must hold for the screen that takes time to find; nil: nothing.
  public var detail: Detail? { screen.screen.detail(self) }

  /// Number of the breakpoint that was followed last.
  private var followed = 0

  /// Goes where a breakpoint that has just been hit is explained.
  public mutating func follow(_ hit: BreakHit?, _ snapshot: Snapshot) {
    guard let hit, hit.number > followed else { return }
    followed = hit.number
    back = 0
    if let index = snapshot.lanes.firstIndex(where: { $0.identity == hit.lane }) { lane = index }
    switch hit.breakpoint {
    case .silent(let layer, _):
      self.layer = layer
      screen = .silence
    case .neuron(let layer, let neuron):
      traced = Traced(layer: layer, neuron: neuron)
      screen = .trace
    case .deletions: screen = .ledger
    case .loss: screen = .slice
    }
  }

  /// Goes to an update that was found.
  public mutating func follow(_ found: FoundUpdate) {
    screen = found.batch == nil ? .silence : .ledger
    notice = found.sentence + (found.batch == nil ? "" : "; :without goes on without it, f forks")
    lane = found.snapshot.lanes.firstIndex { $0.identity == found.lane } ?? 0
  }

  /// As a session begins: overview, live, first lane.
  public init() {}
}

/// A line of input at the bottom of the screen.
public struct Prompt: Sendable, Equatable {
  /// What Enter takes the text for; `neurons` are those of the raster, `silence` is its filter.
  public enum Purpose: Sendable, Equatable { case command, rate, neurons, fork, silence }
  /// Decides the label, the hints and what Enter does.
  public var purpose: Purpose
  /// What is typed so far, without the `:`; typing ends at 60 characters.
  public var text = ""

  /// `text` is there to go on from, such as a command's name.
  public init(_ purpose: Purpose, text: String = "") {
    self.purpose = purpose
    self.text = text
  }
}

/// Something that would be lost, and the keys that go on all the same; any other key stays.
public struct Question: Sendable, Equatable {
  /// For the bottom line; says which keys answer.
  public var text: String
  /// Effects by key. A key that is not there closes the question and does nothing else.
  public var answers: [Key: [Effect]]

  /// Shown once it is in `WorkbenchState.question`; the effect `ask` puts it there.
  public init(_ text: String, _ answers: [Key: [Effect]]) {
    self.text = text
    self.answers = answers
  }
}

/// How the raster sorts neurons.
public enum RasterOrder: String, Sendable, CaseIterable {
  case index
  case rate
  case firstSpike = "first spike"
}

/// How the list of silent neurons is sorted.
public enum SilenceOrder: String, Sendable, CaseIterable {
  case index
  /// Those silent the longest first.
  case since
  /// Those that come closest to threshold first.
  case distance
}

/// What a key press asks the world to do.
public enum Effect: Sendable, Equatable {
  case engine(EngineCommand)
  case export
  /// A folder that explains the run and makes it again.
  case report
  /// Asks something.
  case ask(Question)
  /// To the snapshot nearest to a position of the training, in epochs.
  case goTo(Double)
  /// Leaves with a checkpoint; where that cannot be written, asks.
  case quit
  /// Leaves and loses what is not on disk.
  case abandon
  case suspend
}

extension Effect {
  /// Changes lanes or the order of batches.
  static func change(_ command: any TrainingCommand) -> Effect { .engine(.change(command)) }
}
