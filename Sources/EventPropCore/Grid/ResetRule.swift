// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// What the grid leaves of V at the end of a step in which a neuron has spiked.
///
/// V has gone beyond theta by then: on the way it was reset, and has grown again since. Setting it
/// to 0 throws that growth away at every spike, and with it the neuron fires more slowly than its
/// equations say, the more so the coarser the grid. In a network of 128 recurrent neurons on steps
/// of 1 ms a quarter of the spikes was missing (article Solvers).
public enum ResetRule: String, Sendable, CaseIterable {
  /// V <- 0, as GeNN and the code of Nowotny, Turner & Knight do it.
  case zero
  /// V <- V - theta exp(-dt/(2 tau_m)), below theta: what is left when theta is taken away in the
  /// middle of the step, which is where the spike was on average.
  case carried
}

extension Layer {
  /// What a spike leaves of V, where it is seen: all of it is taken, or theta in the middle of the
  /// step.
  public func afterSpike(_ v: Double, neuron: Int) -> Double {
    guard let lateness else { return 0 }
    let theta = threshold[neuron]
    return min(v - theta * exp(-lateness / tauMem[neuron]), theta.nextDown)
  }

  /// Of the kernels, on a grid.
  func reset(step: Double) -> ep_reset {
    let theta = threshold[0]
    return ep_reset(
      taken: Float(theta * exp(-step / (2 * tauMem[0]))), most: Float(theta).nextDown,
      kept: lateness == nil ? 0 : -1)
  }
}

extension ep_reset {
  /// What is left of V.
  func after(_ v: Float) -> Float { kept == 0 ? 0 : min(v - taken, most) }
}
