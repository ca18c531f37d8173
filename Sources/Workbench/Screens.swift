// SPDX-License-Identifier: MIT

import Live
import Charts

/// What the workbench shows at a time, with its keys, its mouse and its tables. A screen is one
/// file, and a case of `ScreenKind` with its line here.
protocol WorkbenchScreen {
  static var title: String { get }
  /// What snapshots must hold for it.
  static var detail: Detail? { get }
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
  /// The numbers behind it, the most important table first.
  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
}

extension WorkbenchScreen {
  static var detail: Detail? { nil }
  static var actions: [Action] { [] }
  static var wheel: (down: Key, up: Key)? { nil }
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] { [] }
  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("curves", FigureFiles.curves(snapshot))] }
}

/// The screens, in the order of their keys.
public enum ScreenKind: Int, Sendable, CaseIterable {
  case overview, raster, gradients, ledger, silence, compare, shaping, log

  var screen: any WorkbenchScreen.Type {
    switch self {
    case .overview: OverviewScreen.self
    case .raster: RasterScreen.self
    case .gradients: GradientsScreen.self
    case .ledger: LedgerScreen.self
    case .silence: SilenceScreen.self
    case .compare: CompareScreen.self
    case .shaping: ShapingScreen.self
    case .log: LogScreen.self
    }
  }

  /// As help and refusals name the screen.
  public var title: String { screen.title }
  /// What snapshots must hold for it that takes time to find; nil: nothing.
  public var detail: Detail? { screen.detail }
}
