// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Foundation
import Live
import Training

/// Where a figure comes from: runs, seeds, places in the training, lanes, and the command that
/// makes it again.
enum FigureMetadata {
  static func of(
    _ kind: FigureKind, _ options: FigureOptions, _ snapshot: Snapshot, lanes: [LaneSnapshot]
  ) -> PaperMetadata {
    var metadata = PaperMetadata()
    let sources = snapshot.sources
    metadata.creator = RunSource.program
    metadata.sources = sources.map(\.folder).filter { !$0.isEmpty }.map { VisibleText.of($0) }
    let runs = sources.map { source in
      let folder = (source.folder as NSString).lastPathComponent
      return "\(folder.isEmpty ? "a run that is not kept" : folder) "
        + "(preset \(source.preset), seed \(source.seed), epoch \(source.epoch) "
        + "batch \(source.batch))"
    }.joined(separator: ", ")
    metadata.title = VisibleText.of(
      options.title.isEmpty ? "\(kind): \(kind.title)" : options.title)
    let trained = lanes.map { Wording.title($0) }.joined(separator: "; ")
    metadata.description = VisibleText.of("\(kind.title), of \(runs). Lanes: \(trained).")
    metadata.elements = sources.map(run) + lanes.map { lane($0, snapshot.score) }
    if let command = command(kind, options, snapshot) {
      var fields = [(name: "line", value: VisibleText.of(command))]
      if !snapshot.isStill {
        fields.append(
          ("note", "needs a checkpoint of this place; its curves have a point for each epoch"))
      }
      metadata.elements.append(.init("command", fields))
    }
    return metadata
  }

  private static func run(_ source: RunSource) -> PaperMetadata.Element {
    var fields = [
      (name: "folder", value: VisibleText.of((source.folder as NSString).lastPathComponent)),
      ("preset", VisibleText.of(source.preset)), ("seed", "\(source.seed)"),
    ]
    if let seed = source.dataSeed { fields.append(("data-seed", "\(seed)")) }
    fields += [
      ("epoch", "\(source.epoch)"), ("batch", "\(source.batch)"),
      ("commands", "\(source.commands)"),
    ]
    return .init("run", fields)
  }

  private static func lane(_ lane: LaneSnapshot, _ score: ScoreName) -> PaperMetadata.Element {
    var fields = [
      (name: "letter", value: lane.letter), ("name", VisibleText.of(lane.name)),
      ("trained-on", VisibleText.of(lane.description + Wording.past(lane))),
    ]
    if let loss = lane.trainLoss { fields.append(("train-loss", "\(loss)")) }
    if let loss = lane.testLoss { fields.append(("test-loss", "\(loss)")) }
    if let share = lane.testAccuracy { fields.append(("test-\(score.rawValue)", "\(share)")) }
    return .init("lane", fields)
  }

  /// nil where there is no run to make it from.
  static func command(
    _ kind: FigureKind, _ options: FigureOptions, _ snapshot: Snapshot
  ) -> String? {
    let sources = snapshot.sources
    guard !sources.isEmpty, sources.allSatisfy({ !$0.folder.isEmpty }) else { return nil }
    var words = ["eventprop", "figure"] + sources.map { ShellWord.quoted($0.folder) }
    words += ["--figure", "\(kind)"]
    let places = Set(sources.map { [$0.epoch, $0.batch] })
    if places.count == 1, let place = places.first {
      words += ["--epoch", place[1] == 0 ? "\(place[0])" : "\(place[0])+\(place[1])"]
    }
    let style = options.style
    let size = [style.width, style.height].map(Text.plain).joined(separator: "x")
    words += ["--size", size, "--font", Text.plain(style.font)]
    if style.legend != .automatic { words += ["--legend", style.legend.rawValue] }
    if !options.title.isEmpty { words += ["--title", ShellWord.quoted(options.title)] }
    if options.isLogarithmic { words.append("--log") }
    if options.lane != 0 { words += ["--lane", "\(options.lane)"] }
    if options.layer != 0 { words += ["--layer", "\(options.layer + 1)"] }
    if snapshot.probe != 0 { words += ["--probe", "\(snapshot.probe)"] }
    for setting in options.settings { words += ["--set", ShellWord.quoted(setting)] }
    return (words + ["--out", "\(kind).svg"]).joined(separator: " ")
  }
}
