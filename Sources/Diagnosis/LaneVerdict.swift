// SPDX-License-Identifier: MIT

import Foundation

/// What the sentence about a lane is made from; all of the last finished epoch.
public struct VerdictSigns: Sendable {
  /// A hidden layer.
  public struct Layer: Sendable {
    /// `hidden1`, ...
    public var name: String
    /// Neurons.
    public var size: Int
    /// Neurons without a spike in the epoch.
    public var dead: Int
    /// Spikes per neuron and trial, by epoch, the last one last.
    public var rates: [Double]
    /// Norms of the gradient of the weights into it by tenth of the trial; empty: not looked at.
    public var gradientByTenth: [Double] = []
    /// Its spikes by tenth of the trial, as shares; empty: not looked at.
    public var spikesByTenth: [Double] = []

    /// `rates` may begin later than training did.
    public init(name: String, size: Int, dead: Int, rates: [Double]) {
      (self.name, self.size, self.dead, self.rates) = (name, size, dead, rates)
    }
  }

  /// From the input on.
  public var layers: [Layer] = []
  /// The epochs of the `rates`, counted from 1.
  public var epochs: [Int] = []
  /// `loss.kind`.
  public var lossKind = ""
  /// The loss is an integral over the trial, and its weight is 1 all through.
  public var isPlainIntegral = false
  /// The loss reads the times of first output spikes.
  public var readsFirstSpikes = false
  /// When nearly all input spikes of the probe have come, ms; nil: not known.
  public var inputEnd: Double?
  /// Trial length, ms.
  public var duration = 0.0
  /// Learning rate now.
  public var rate = 0.0
  /// By the ledger so far.
  public var totals = LedgerTotals()
  /// Of the last epoch.
  public var alarms: [Alarm] = []

  /// Of nothing.
  public init() {}
}

/// One sentence about a lane: what is wrong, since when, why as far as it can be told, and what to
/// do. The rules are in the article Diagnosis of Workbench.docc.
public enum LaneVerdict {
  /// Since when a layer spikes less than a tenth of what it did at its best; nil: it does not.
  /// - Parameter rates: spikes per neuron and trial, by epoch.
  /// - Returns: an index of `rates`.
  public static func starvingSince(_ rates: [Double]) -> Int? {
    guard let now = rates.last, let most = rates.max(), now < 0.1 * most,
      let peak = rates.firstIndex(of: most)
    else { return nil }
    return rates[peak...].firstIndex { $0 < 0.1 * most }
  }

  /// nil: there is nothing to say.
  public static func sentence(_ signs: VerdictSigns) -> String? {
    starved(signs) ?? late(signs) ?? mute(signs) ?? other(signs)
  }

  private static func starved(_ signs: VerdictSigns) -> String? {
    for layer in signs.layers where layer.size > 0 {
      let since = starvingSince(layer.rates)
      guard since != nil || Double(layer.dead) >= 0.75 * Double(layer.size) else { continue }
      var text = "\(layer.name) starves: \(layer.dead) of \(layer.size) dead"
      if let since {
        text =
          "\(layer.name) starves: \(short(layer.rates.last ?? 0)) spikes per neuron and trial after "
          + "\(short(layer.rates.max() ?? 0)), \(layer.dead) of \(layer.size) dead, since epoch "
          + "\(signs.epochs[since])"
      }
      return text + "; " + cause(of: signs)
    }
    return nil
  }

  private static func cause(of signs: VerdictSigns) -> String {
    if signs.isPlainIntegral, signs.lossKind.hasPrefix("avg"), let end = signs.inputEnd,
      signs.duration - end > 0.2 * signs.duration
    {
      return
        "\(signs.lossKind) counts the \(short(signs.duration - end)) ms after the last input like "
        + "the rest, and there voltage only costs: shorten the trial, or weight early (s)"
    }
    let ledger =
      signs.totals.deleted > signs.totals.created
      ? " (\(signs.totals.deleted) deleted, \(signs.totals.created) created on the probe)" : ""
    if signs.readsFirstSpikes {
      return
        "\(signs.lossKind) moves the wrong classes' spikes late until they are gone\(ledger): "
        + "a lower rate than \(short(signs.rate)) (e), then R, k"
    }
    return
      "spikes go that the gradient does not know of\(ledger): a lower rate than "
      + "\(short(signs.rate)) (e), or lift the silent ones (5, W)"
  }

  private static func late(_ signs: VerdictSigns) -> String? {
    guard let text = signs.layers.lazy.compactMap({ lateText($0, signs.duration) }).first else {
      return nil
    }
    return text
      + (signs.isPlainIntegral
        ? ": the integral of \(signs.lossKind) does not change while a potential moves within the "
          + "trial; weight early (s)" : ": look at w(t) (7)")
  }

  /// Three quarters of the gradient from the last three tenths, or four fifths from the last four,
  /// where less than half of the spikes are.
  private static func lateText(_ layer: VerdictSigns.Layer, _ duration: Double) -> String? {
    guard
      let late = LateGradient.found(
        layer.gradientByTenth, layer.spikesByTenth, [(3, 0.75), (4, 0.8)])
    else { return nil }
    return
      "\(Int((100 * late.gradient).rounded())) % of \(layer.name)'s gradient comes from the last "
      + "\(short(Double(late.tenths) / 10 * duration)) ms, \(Int((100 * late.spikes).rounded())) % "
      + "of its spikes do"
  }

  private static func mute(_ signs: VerdictSigns) -> String? {
    signs.alarms.first { $0.kind == .muteOutputs }.map {
      words($0) + ": lift outputs that have none (training.silent.lift_outputs)"
    }
  }

  private static func other(_ signs: VerdictSigns) -> String? {
    for alarm in signs.alarms {
      switch alarm.kind {
      case .exploding, .notANumber:
        return words(alarm) + ": lower the rate (e), or set training.clip"
      case .vanishing: return words(alarm) + ": see where it stops (3, 5)"
      case .saturated: return words(alarm) + ": smaller weights, or rate regularisation"
      default: continue
      }
    }
    return nil
  }

  /// Texts of alarms read back from a file say the epoch alone.
  private static func words(_ alarm: Alarm) -> String { "\(alarm.kind.rawValue): \(alarm.text)" }

  private static func short(_ x: Double) -> String {
    String(format: abs(x) >= 100 && abs(x) < 1e6 ? "%.0f" : "%.3g", x)
  }
}
