// SPDX-License-Identifier: MIT

// Network, sample, loss, gradient: EventPropCore as a library. `swift run example`
import EventPropCore

let network = Network(
  inputs: 3, layers: [Layer(size: 4), Layer(size: 2, neuron: .li)])
let loss = LossTable.all[0].make(LossParameters(duration: 30))
let solver = ExactSolver(Problem(network: network, duration: 30, step: 0.1, loss: loss))
let initial = [InitialWeights(mean: 3, sd: 1), InitialWeights(mean: 0, sd: 1)]
let batch = solver.makeBatch(
  weights: Parameters(network, initial: initial, seed: 1), capacity: 1, shards: 1)
let (pool, sample) = (WorkerPool(threads: 1), SpikeTrain(times: [2, 5, 9], units: [0, 1, 2]))
let samples = SampleList([(train: sample, label: 1)])
print("loss", batch.forward(samples, goingBack: true, pool: pool).meanLoss)
_ = batch.gradient(of: samples, pool: pool)
print(zip(network.parameterNames, batch.gradient.norms).map { "|dL/dw| of \($0) \($1)" })
