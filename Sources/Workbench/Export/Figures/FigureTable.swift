// SPDX-License-Identifier: MIT

import Charts
import Live

/// A figure for papers: one file, and its line in `FigureTable`.
protocol WorkbenchFigure: Sendable {
  /// As in files and options: `accuracy`.
  static var name: String { get }
  /// What it shows, in a few words.
  static var title: String { get }
  /// What snapshots must hold for it.
  static var detail: Detail? { get }
  /// Of one lane, the chosen one, and not of all.
  static var isOfOneLane: Bool { get }
  /// - Throws: `FigureObstacle` where the snapshot has no numbers for it.
  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
}

extension WorkbenchFigure {
  static var detail: Detail? { nil }
  static var isOfOneLane: Bool { false }
}

/// Why a figure cannot be drawn.
package struct FigureObstacle: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// The figures, in the order in which options list them.
enum FigureTable {
  static let all: [any WorkbenchFigure.Type] = [
    LossFigure.self, AccuracyFigure.self, RatesFigure.self, NormsFigure.self, SilenceFigure.self,
    RasterFigure.self, HeatMapFigure.self, GradientTimeFigure.self, ErrorTimeFigure.self,
    ShapingFigure.self, SliceFigure.self,
  ]
}

/// What a figure is to look like, and of what it is.
package struct FigureOptions: Sendable {
  package var style = PaperStyle()
  /// Above the figure; empty: none.
  package var title = ""
  /// Logarithmic y axis, or colours, of figures that have a choice.
  package var isLogarithmic = false
  /// Of figures of one lane: its index in the snapshot.
  package var lane = 0
  /// Of figures of one layer: 0 is hidden1, a number too large the last.
  package var layer = 0
  /// Overrides of the preset, for the command in the metadata.
  package var settings: [String] = []

  package init() {}
}

/// A figure by its place in the table.
package struct FigureKind: Sendable, Hashable, CaseIterable, CustomStringConvertible {
  private let index: Int

  package static let allCases = FigureTable.all.indices.map { FigureKind(index: $0) }

  private init(index: Int) { self.index = index }
  /// - Parameter figure: one of the table.
  init(_ figure: any WorkbenchFigure.Type) {
    index = FigureTable.all.firstIndex { $0 == figure }!
  }

  /// - Parameter name: nil is returned for one that is not in the table.
  package init?(name: String) {
    guard let index = FigureTable.all.firstIndex(where: { $0.name == name }) else { return nil }
    self.index = index
  }

  private var figure: any WorkbenchFigure.Type { FigureTable.all[index] }
  package var description: String { figure.name }
  /// What it shows, in a few words.
  package var title: String { figure.title }
  /// What snapshots must hold for it.
  package var detail: Detail? { figure.detail }
  /// Of one lane, the chosen one, and not of all.
  var isOfOneLane: Bool { figure.isOfOneLane }

  /// The figure with its metadata.
  /// - Throws: `FigureObstacle` where the snapshot has no numbers for it.
  package func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    guard !snapshot.lanes.isEmpty else { throw FigureObstacle("there is no lane") }
    var made = try figure.make(options, snapshot)
    made.style = options.style
    made.title = options.title
    let index = min(max(options.lane, 0), snapshot.lanes.count - 1)
    made.metadata = FigureMetadata.of(
      self, options, snapshot, lanes: figure.isOfOneLane ? [snapshot.lanes[index]] : snapshot.lanes)
    return made
  }
}
