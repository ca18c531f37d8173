// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// One sentence of a report, and what of it a command does.
public struct InitAdvice: Sendable, Equatable {
  /// With a number, and the key of the preset.
  public var text: String
  /// nil: no command of the training does it.
  public var cure: Cure?

  /// What a command can do to a lane.
  public enum Cure: Sendable, Equatable {
    /// All weights from below into a layer, times a factor. `0` is hidden1; the output is the last.
    case scale(Double, layer: Int)
    /// An exponential shaping of the loss; its scale is in trial lengths.
    case shape(scale: Double)
  }
}

extension InitReport {
  /// The sentences of `counsel`.
  public var advice: [String] { counsel.map(\.text) }

  /// What to change, in sentences of one line, each with a number and a key; empty: nothing to
  /// complain of.
  public var counsel: [InitAdvice] {
    var list: [InitAdvice] = []
    if let failure {
      list.append(
        InitAdvice(text: "A trial was given up, so that there is no gradient: \(failure)."))
    }
    for layer in layers.indices {
      for remedy in remedies where remedy.layer == layer {
        guard let text = sentence(remedy) else { continue }
        var cure: InitAdvice.Cure?
        if case .scale(let factor) = remedy.change { cure = .scale(factor, layer: layer) }
        list.append(InitAdvice(text: text, cure: cure))
      }
      if let text = recurrence(layer) { list.append(InitAdvice(text: text)) }
      if let text = lateGradient(layer) ?? weakGradient(layer) {
        let shaped = text.contains("loss.shaping = ") ? layers[layer].timing?.shaped : nil
        list.append(InitAdvice(text: text, cure: shaped.map { .shape(scale: $0.scale) }))
      }
    }
    if muteShare >= Limit.mute, !terms.liftsOutputs, !remedies.contains(where: { $0.mute != nil }) {
      list.append(
        InitAdvice(
          text: muteOutputs + "; training.silent.lift_outputs = 2e-3 lifts such outputs."))
    }
    return list
  }

  private var muteOutputs: String {
    "output: \(percent(muteShare)) of the samples have "
      + (terms.readsSpikes
        ? "no spike of the label's output" : "a label's output that never rises above 0")
  }

  private func sentence(_ remedy: Remedy) -> String? {
    let name = layers[remedy.layer].name
    let what = remedy.layer + 1 == layers.count ? muteOutputs : "\(name): \(state(of: remedy))"
    let after = outcome(remedy)
    switch remedy.change {
    case .scale(let factor):
      return what + "; scale its incoming weights by \(short(factor))"
        + weights(remedy.layer) { InitialWeights(mean: $0.mean * factor, sd: $0.sd * factor) }
        + " for \(after)."
    case .spread(let factor):
      return what + ", so that they are spread too widely; "
        + (factor == 0.5 ? "halve their" : "multiply their") + " standard deviation"
        + weights(remedy.layer) { InitialWeights(mean: $0.mean, sd: $0.sd * factor) }
        + " for \(after)."
    case .shift(let by):
      return what + "; add \(short(by)) to its incoming weights"
        + weights(remedy.layer) { InitialWeights(mean: $0.mean + by, sd: $0.sd) }
        + " for \(after)."
    case .none:
      if let mute = remedy.mute { return "\(what), but with the above done \(percent(mute))." }
      guard remedy.complaint != nil else {
        return remedy.before.map {
          "\(what), but with the above done \(rate($0.mean)) and \(percent($0.silent)) silent."
        }
      }
      if layers[remedy.layer].drive.below == 0 {
        return what + "; no spike reaches it by a weight other than 0 (\(key(remedy.layer)))."
      }
      return what + "; no common factor of its incoming weights helps (\(key(remedy.layer)))."
    }
  }

  /// What is wrong with a hidden layer.
  private func state(of remedy: Remedy) -> String {
    guard let now = layers[remedy.layer].rates else { return "" }
    guard let before = remedy.before, before != now, remedy.complaint != nil else {
      return complaint(now, now.complaint(target: target))
    }
    return "with the above done, " + complaint(before, remedy.complaint)
  }

  private func complaint(_ rates: SpikeRates, _ complaint: RateComplaint?) -> String {
    switch complaint {
    case .saturated: "\(percent(rates.saturated)) of the neurons spike in nearly every step"
    case .silent:
      "\(percent(rates.silent)) of the neurons are silent on all \(samples) samples, "
        + rate(rates.mean)
    case .quiet: "\(rate(rates.mean)), \(percent(rates.silent)) of the neurons silent"
    case .loud, nil: rate(rates.mean)
    }
  }

  private func outcome(_ remedy: Remedy) -> String {
    if let mute = remedy.mute { return "\(percent(mute)) such samples" }
    return remedy.after.map { "\(rate($0.mean)), \(percent($0.silent)) silent" } ?? ""
  }

  private func rate(_ mean: Double) -> String {
    guard mean.isFinite else { return "more spikes than a trial may have" }
    let number = rounded(mean)
    return number + (number == "1" ? " spike" : " spikes") + " per neuron and trial"
  }

  private func recurrence(_ layer: Int) -> String? {
    let start = layers[layer]
    guard let ratio = start.drive.ratio, ratio > Limit.recurrent else { return nil }
    let number = projection(into: layer) + 1
    let drawn = terms.initial.map {
      let factor = 1 / ratio
      return text(InitialWeights(mean: $0[number].mean * factor, sd: $0[number].sd * factor))
    }
    return "\(start.name): it drives itself \(rounded(ratio)) times as strongly as the layer below "
      + "does; scale its recurrent weights by \(rounded(1 / ratio)) "
      + "(hidden.\(layer).recurrent_weights\(drawn.map { " = " + $0 } ?? "")) "
      + "for as much from both at these spikes."
  }

  private func lateGradient(_ layer: Int) -> String? {
    guard let timing = layers[layer].timing, timing.isLate else { return nil }
    let what =
      "\(layers[layer].name): \(percent(timing.late)) of its gradient comes from the last "
      + "\(short(0.3 * duration)) ms, \(percent(timing.lateSpikes)) of its spikes do; "
    guard let shaped = timing.shaped else {
      return what + "loss.kind = \"\(terms.loss)\" knows no loss.shaping, sum and avg_xentropy do."
    }
    return what + "\(shaping(shaped)) makes that \(percent(shaped.late)) and the gradient "
      + "\(rounded(shaped.gain)) times as large."
  }

  private func shaping(_ shaped: GradientTiming.Shaped) -> String {
    "loss.shaping = \"exponential\""
      + (shaped.scale == 1 ? "" : ", loss.scale = \(short(shaped.scale))")
  }

  private func weakGradient(_ layer: Int) -> String? {
    let start = layers[layer]
    guard let gradient = start.gradient, (start.rates?.mean ?? 1) > 0 else { return nil }
    if gradient == 0 {
      return layer + 1 < layers.count
        ? "\(start.name): no gradient at all reaches it, though it spikes; look at "
          + "\(key(layer + 1))." : nil
    }
    if let epsilon = terms.epsilon, gradient < 10 * epsilon {
      return "\(start.name): its gradient per weight, \(small(gradient)), is near "
        + "training.optimiser.epsilon = \(small(epsilon)), which slows Adam; "
        + "\(small(gradient / 1000)) does not."
    }
    guard hasWeakGradient(layer), let ratio = gradientRatio(ofLayer: layer) else { return nil }
    let what =
      "\(start.name): its gradient per weight is \(small(ratio)) of that of "
      + "\(layers[layer + 1].name); "
    guard let shaped = start.timing?.shaped else {
      guard let epsilon = terms.epsilon else {
        return what + "it learns that much less: training.optimiser.kind = \"adam\" evens this out."
      }
      return what + "Adam evens this out as long as it stays above "
        + "training.optimiser.epsilon = \(small(epsilon)) (it is \(small(gradient)))."
    }
    return what + "\(shaping(shaped)) makes it \(rounded(shaped.gain)) times as large."
  }

  /// Index of the projection from below.
  private func projection(into layer: Int) -> Int {
    layers[..<layer].reduce(0) { $0 + ($1.drive.own == nil ? 1 : 2) }
  }

  private func key(_ layer: Int) -> String {
    layer + 1 == layers.count ? "output.weights" : "hidden.\(layer).weights"
  }

  /// The key that does it, in brackets, or the command where weights are not the drawn ones.
  private func weights(_ layer: Int, _ change: (InitialWeights) -> InitialWeights) -> String {
    guard let initial = terms.initial else { return "" }
    return " (\(key(layer)) = \(text(change(initial[projection(into: layer)]))))"
  }

  private func text(_ weights: InitialWeights) -> String {
    "{ mean = \(short(weights.mean)), sd = \(short(weights.sd)) }"
  }

  private func percent(_ share: Double) -> String {
    String(format: share < 0.0995 && share > 0 ? "%.1f %%" : "%.0f %%", 100 * share)
  }
  private func short(_ number: Double) -> String { String(format: "%.4g", number) }
  private func rounded(_ number: Double) -> String { String(format: "%.3g", number) }
  private func small(_ number: Double) -> String { String(format: "%.2g", number) }
}
