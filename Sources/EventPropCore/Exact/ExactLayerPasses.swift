// SPDX-License-Identifier: MIT

/// How the exact solver takes a layer of some model through a trial, and back.
struct ExactLayerPasses: Sendable {
  let isSpiking: Bool
  /// Leaves the layer's spikes or read-out in the trial.
  let forward: @Sendable (ExactPass) -> Void
  /// - Returns: the errors of the spikes that arrive at the layer.
  let backward:
    @Sendable (ExactPass, _ errors: [Double], _ push: [Double], _ gradient: Parameters<Double>) ->
      [Double]
}

/// A layer as the exact solver runs it.
final class ExactLayer: Sendable {
  let index: Int
  let layer: Layer
  /// The index of the projection that reaches it from below; its own loop, if any, is the next.
  let projection: Int

  init(_ index: Int, _ layer: Layer, projection: Int) {
    self.index = index
    self.layer = layer
    self.projection = projection
  }

  /// All layers of a network, with these constants.
  static func layers(_ layers: [Layer]) -> [ExactLayer] {
    layers.indices.map { index in
      ExactLayer(
        index, layers[index],
        projection: index + layers[..<index].count { $0.isRecurrent })
    }
  }
}

/// One layer in one trial.
struct ExactPass {
  let solver: ExactSolver
  let trial: ExactTrial
  let own: ExactLayer
  let weights: Parameters<Double>

  var index: Int { own.index }
  var layer: Layer { own.layer }
  var incoming: IncomingSpikes { trial.incoming(toLayer: own.index) }
  var matrix: Matrix<Double> { weights.matrices[own.projection] }
  var loop: Matrix<Double> { weights.matrices[own.projection + 1] }
  var isOutput: Bool { own.index == trial.layers.count - 1 }
  /// What the label's output gets at T where it is silent.
  var phantomPush: Double {
    isOutput && trial.needsPhantom ? solver.problem.loss.phantomPush : 0
  }
  var dropped: [Bool] { trial.dropped(inLayer: own.index) }

  /// The delays of a projection.
  func delays(_ projection: Int, _ delays: Delays?) -> DelayTable? {
    guard let delays, let matrix = weights.delays(ofProjection: projection) else { return nil }
    return DelayTable(matrix, delays.form)
  }

  /// Whether neurons must be gone through one synapse at a time: where these have delays, or
  /// constants are trained (thresholds alone have a faster way), or adjoints are asked for.
  var isBySynapse: Bool {
    !trial.adjointTimes.isEmpty || layer.delays != nil || layer.loopDelays != nil
      || layer.learning.contains { $0.key != .threshold && $0.value.isTrained }
  }
}

extension ExactLayerPasses {
  /// Any spiking model, event by event. Generic code is made for each model of the table.
  static func spiking<N: NeuronModel>(_ model: N.Type) -> ExactLayerPasses {
    ExactLayerPasses(isSpiking: true) { pass in
      let neurons = pass.layer.neurons(model)
      if pass.isBySynapse {
        pass.trial.layers[pass.index] = pass.solver.sweepBySynapse(neurons, pass)
        return
      }
      let intervening = Intervening(pass.trial, in: pass.index)
      pass.trial.layers[pass.index] =
        pass.layer.isRecurrent
        ? pass.solver.sweep(
          neurons, pass.layer, pass.incoming, pass.matrix, pass.loop, pass.trial, intervening,
          dropped: pass.dropped)
        : pass.solver.sweep(
          neurons, pass.layer, pass.incoming, pass.matrix, pass.trial, intervening,
          dropped: pass.dropped)
    } backward: { pass, errors, push, gradient in
      let neurons = pass.layer.neurons(model)
      let spikes = pass.trial.layers[pass.index]
      if pass.isBySynapse {
        return pass.solver.sweepBySynapseBack(neurons, pass, spikes, errors, push, gradient)
      }
      let sum = gradient.matrices[pass.own.projection]
      let thresholds = gradient.vector(.threshold, ofLayer: pass.index)
      if pass.layer.isRecurrent {
        return pass.solver.sweepBack(
          neurons, pass.layer, pass.incoming, spikes, errors, push, pass.matrix, sum, pass.loop,
          gradient.matrices[pass.own.projection + 1], thresholds: thresholds)
      }
      return pass.solver.sweepBack(
        neurons, pass.layer, pass.incoming, spikes, errors, push, pass.matrix, sum,
        thresholds: thresholds, phantom: (pass.trial.label, pass.phantomPush))
    }
  }

  /// Leaky integrators, read by their voltage.
  static let readout = ExactLayerPasses(isSpiking: false) { pass in
    pass.solver.readVoltages(pass)
  } backward: { pass, _, _, gradient in
    pass.solver.readVoltagesBack(pass, gradient)
  }
}

extension Layer {
  /// A model's constants: of each neuron, or once where all are alike.
  func neurons<N: NeuronModel>(_ model: N.Type) -> [N] {
    isUniform ? [N(self, neuron: 0)] : (0..<size).map { N(self, neuron: $0) }
  }
}
