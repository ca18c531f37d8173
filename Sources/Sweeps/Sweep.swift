// SPDX-License-Identifier: MIT

import Training
import EventPropCore
import Experiments
import Foundation
import SpikeData

/// Many trainings of one preset, that differ in the values of some keys: read from a sweep file.
public struct Sweep: Sendable {
  /// How points come from axes.
  public enum Mode: String, Sendable, CaseIterable {
    /// All combinations; the last axis changes fastest.
    case grid
    /// Drawn independently.
    case random
  }

  /// Which value of the metric is better.
  public enum Goal: String, Sendable, CaseIterable { case max, min }

  /// Names new folders: `sweeps/<name>-<n>`.
  public var name: String
  /// What the sweep file calls the preset.
  public var presetName: String
  /// The preset's text, as it was when the sweep was made.
  public var presetText: String
  /// What messages call the preset's file.
  var presetFile: String
  /// `key=value` for all points, before the axes.
  public var settings: [String]
  /// At least one.
  public var axes: [SweepAxis]
  /// Grid or random.
  public var mode: Mode
  /// Points of a random sweep; nil for a grid.
  public var samples: Int?
  /// Of the draws of a random sweep.
  public var seed: Int
  /// How many seeds every point is trained with.
  public var seeds: Int
  /// The first of them.
  public var firstSeed: Int
  /// The column of metrics.csv that points are compared by.
  public var metric: String
  /// Whether more of it is better.
  public var goal: Goal
  /// Values of the axes, by point.
  public private(set) var points: [[ConfigValue]] = []

  /// More points than this are refused.
  public static let mostPoints = 10_000

  /// The metric is a share of right answers.
  public var isAccuracy: Bool { ScoreName.isScore(metric) }

  /// `key=value` of a point.
  public func settings(ofPoint index: Int) -> [String] {
    settings + zip(axes, points[index]).map { "\($0.key)=\($1.text)" }
  }

  /// A point's experiment.
  /// - Throws: `FileError`.
  public func preset(ofPoint index: Int) throws -> Preset {
    try Preset(text: presetText, file: presetFile, settings: settings(ofPoint: index))
  }

  /// `rate = 0.01, size = 100`.
  public func words(ofPoint index: Int) -> String {
    zip(axes, points[index]).map { "\($0.name) = \($1.plainText)" }.joined(separator: ", ")
  }

  /// As points.csv has it.
  var pointsText: String {
    var lines = [(["point"] + axes.map(\.name)).map(CSV.quoted).joined(separator: ",")]
    for (index, values) in points.enumerated() {
      lines.append(
        ([String(index)] + values.map { CSV.quoted($0.plainText) }).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Makes the points from the axes.
  /// - Throws: where there would be too many, or not as many different ones as are asked for.
  mutating func makePoints() throws {
    switch mode {
    case .grid:
      let grids = axes.map(\.grid)
      var count = 1
      for grid in grids {
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: grid.count)
        guard !isTooLarge, product <= Sweep.mostPoints else {
          throw SweepError(
            key: "axis",
            "the grid has \(grids.map { "\($0.count)" }.joined(separator: " x ")) points, allowed are \(Sweep.mostPoints)"
          )
        }
        count = product
      }
      points = [[]]
      for grid in grids { points = points.flatMap { point in grid.map { point + [$0] } } }
    case .random:
      let samples = samples ?? 0
      var randoms = axes.indices.map { Random(seed: seed, "sweep axis", $0) }
      var seen: Set<String> = []
      points = []
      var tries = 0
      while points.count < samples {
        let point = axes.indices.map { axes[$0].draw(&randoms[$0]) }
        tries += 1
        if seen.insert(point.map(\.text).joined(separator: "\n")).inserted {
          points.append(point)
          tries = 0
        } else if tries > 1000 {
          throw SweepError(
            key: "samples",
            "is \(samples), but the axes have hardly more than \(points.count) different points")
        }
      }
    }
  }
}

/// What is wrong with a key of a sweep file.
struct SweepError: Error {
  var key: String
  var message: String

  init(key: String, _ message: String) { (self.key, self.message) = (key, message) }
}
