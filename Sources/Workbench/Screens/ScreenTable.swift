// SPDX-License-Identifier: MIT

import Live
import Charts

/// What the workbench shows at a time, with its keys, its mouse and its tables. A screen is one
/// file, and its line in `ScreenTable`.
protocol WorkbenchScreen: Sendable {
  /// As in files and options: `overview`.
  static var name: String { get }
  static var title: String { get }
  /// The key that shows it; nil: the number of its place.
  static var key: Key? { get }
  /// What snapshots must hold for it.
  static func detail(_ state: WorkbenchState) -> Detail?
  /// Keys that only it knows.
  static var actions: [Action] { get }
  /// The keys that the wheel is: down and up.
  static var wheel: (down: Key, up: Key)? { get }
  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S)
  /// A click at a cell of a terminal of some size.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect]
  /// The figures for papers that are exported with it.
  static var figures: [FigureKind] { get }
  /// The numbers behind it, the most important table first.
  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
}

extension WorkbenchScreen {
  static var key: Key? { nil }
  static func detail(_ state: WorkbenchState) -> Detail? { nil }
  static var actions: [Action] { [] }
  static var wheel: (down: Key, up: Key)? { nil }
  static var figures: [FigureKind] { [] }
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] { [] }
  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("curves", FigureFiles.curves(snapshot))] }
}

/// The screens, in the order of their keys.
enum ScreenTable {
  static let all: [any WorkbenchScreen.Type] = [
    OverviewScreen.self, RasterScreen.self, GradientsScreen.self, LedgerScreen.self,
    SilenceScreen.self, CompareScreen.self, ShapingScreen.self, LogScreen.self, SliceScreen.self,
    RatesScreen.self, TraceScreen.self, DoctorScreen.self,
  ]
}

/// A screen by its place in the table.
public struct ScreenKind: Sendable, Hashable, CaseIterable, CustomStringConvertible {
  /// In the order of the keys, from 0 on.
  public let index: Int

  /// In the order of their keys.
  public static let allCases = ScreenTable.all.indices.map { ScreenKind(index: $0) }

  private init(index: Int) { self.index = index }
  /// - Parameter screen: one of the table.
  init(_ screen: any WorkbenchScreen.Type) {
    index = ScreenTable.all.firstIndex { $0 == screen }!
  }

  /// The one that a session begins with.
  static let overview = ScreenKind(OverviewScreen.self)

  var screen: any WorkbenchScreen.Type { ScreenTable.all[index] }
  /// As in files and options: `overview`.
  public var description: String { screen.name }
  /// As help and refusals name the screen.
  public var title: String { screen.title }
  /// The name of the action that shows it.
  var action: String { "screen-\(key.label)" }
  /// The key that shows it in the table of actions.
  var key: Key { screen.key ?? .character(Array("1234567890")[index % 10]) }
}
