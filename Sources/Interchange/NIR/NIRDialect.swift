// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// How a program reads the numbers of a NIR file: by the file alone it is not said what a spike is.
public enum NIRDialect: Sendable, Equatable {
  /// A spike is a Dirac: I jumps by w w_in/tau_syn. Equations as they stand.
  case pure
  /// A spike is 1 for a step of `dt` ms, and decays go by Euler: what was exp(-dt/tau) is 1 -
  /// dt/tau (snnTorch, Norse, SpikingJelly).
  case step(dt: Double)
  /// A spike makes I jump by w (jaxsnn, hxtorch).
  case brainScaleS

  /// What a spike of weight 1 adds to I here, by the constants of a file, all in ms.
  func jump(tauMem: Double, tauSyn: Double, r: Double, wIn: Double) -> Double {
    switch self {
    case .pure: return r * wIn / tauSyn
    case .brainScaleS: return r
    case .step(let dt):
      // V rises by `step` in the step after the spike there; here by rise(dt) for each unit of I.
      let step = wIn * dt / tauSyn * r * dt / tauMem
      let (mem, syn) = (here(tauMem), here(tauSyn))
      return step / Decay(over: dt, tauMem: mem, tauSyn: syn).rise
    }
  }

  /// A time constant of a file as it is here, ms.
  func here(_ tau: Double) -> Double {
    if case .step(let dt) = self { return -dt / log1p(-dt / tau) }
    return tau
  }

  /// One from here as it stands in a file, ms.
  func there(_ tau: Double) -> Double {
    if case .step(let dt) = self { return -dt / expm1(-dt / tau) }
    return tau
  }

  /// For metadata.
  var name: String {
    switch self {
    case .pure: "pure"
    case .step: "step"
    case .brainScaleS: "brainscales"
    }
  }
}

/// The unit of times in a NIR file.
public enum NIRTimeUnit: String, Sendable, CaseIterable {
  case seconds = "s"
  case milliseconds = "ms"

  var inMilliseconds: Double { self == .seconds ? 1000 : 1 }
}
