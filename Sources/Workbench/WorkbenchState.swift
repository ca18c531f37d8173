// SPDX-License-Identifier: MIT

import Charts
import EventPropCore
import Training

/// Everything a frame depends on besides the snapshot: a value, changed by keys only.
public struct WorkbenchState: Sendable {
  public var screen = ScreenKind.overview
  /// The lane that keys act on.
  public var lane = 0
  /// How many snapshots back in history; 0 is live.
  public var back = 0
  public var isHelpShown = false
  public var isAlarmListShown = false
  /// Alarm list: the chosen row.
  public var alarmRow = 0
  public var helpFilter = ""
  /// Help: the chosen action among those found.
  public var helpRow = 0
  /// Text being typed after `:` or for a value; nil when no prompt is open.
  public var prompt: Prompt?
  /// What must be answered first.
  public var question: Question?
  public var notice = ""
  /// Raster: shown part of the trial in shares of T, chosen layer, order of neurons.
  public var zoom = 0.0...1.0
  public var layer = 0
  public var order = RasterOrder.index
  public var cursor: Double?
  /// Raster: the neurons shown; empty shows all.
  public var neurons: [Int] = []
  /// Compare: logarithmic loss axis.
  public var isLogarithmic = false
  public var smoothing = 0.9
  /// Log: first line shown. Compare: first class; and first column of the confusion.
  public var scroll = 0
  public var scrollColumn = 0
  /// Silence: the chosen row of the list as it is ordered and filtered.
  public var row = 0
  public var silenceOrder = SilenceOrder.index
  /// Silence: only neurons of which a line holds all these words.
  public var silenceFilter = ""
  /// Shaping: corner being moved.
  public var corner = 0

  public init() {}
}

/// A line of input at the bottom of the screen.
public struct Prompt: Sendable, Equatable {
  public enum Purpose: Sendable, Equatable { case command, rate, neurons, fork, silence }
  public var purpose: Purpose
  public var text = ""

  public init(_ purpose: Purpose, text: String = "") {
    self.purpose = purpose
    self.text = text
  }
}

/// Something that would be lost, and the keys that go on all the same; any other key stays.
public struct Question: Sendable, Equatable {
  public var text: String
  public var answers: [Key: [Effect]]

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
