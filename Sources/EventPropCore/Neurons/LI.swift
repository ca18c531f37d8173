// SPDX-License-Identifier: MIT

/// Leaky integrator: no threshold, read by its voltage. The exact solver takes it in closed form
/// (`ExactSolver+Readout.swift`).
///
///     tau_m dV/dt = -V + I        tau_s dI/dt = -I
extension NeuronKind {
  /// The output neuron of losses that read voltages.
  public static let li = NeuronKind(
    "li", parameters: [.tauMem, .tauSyn], isOnGrid: true,
    exact: .readout)
}
