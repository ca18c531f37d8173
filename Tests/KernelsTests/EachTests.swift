// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Kernels
import Testing

/// The kernels of layers whose neurons have constants or delays of their own, against scalar loops.
@Suite struct EachTests {
  private struct Constants {
    let width: Int
    /// In the order of the fields of `ep_each`.
    var vectors: [[Float]]

    init(_ width: Int) {
      self.width = width
      var random = Random(seed: width, "each")
      vectors = (0..<17).map { _ in
        (0..<width).map { _ in Float(random.uniform(0.3, 0.9)) }
      }
    }

    func with<Result>(kept: Bool, _ body: (ep_each) -> Result) -> Result {
      let all = vectors.flatMap { $0 }
      return all.withUnsafeBufferPointer { all in
        func vector(_ k: Int) -> UnsafePointer<Float> { all.baseAddress! + k * width }
        return body(
          ep_each(
            a: vector(0), b: vector(1), c: vector(2), back: vector(3), theta: vector(4),
            late: vector(5), kept: kept ? 1 : 0, beta: vector(6), fall: vector(7),
            lift: vector(8), mean_v: vector(9), mean_i: vector(10), mem_i: vector(11),
            mem_v: vector(12), syn_i: vector(13), syn_v: vector(14), fall_a: vector(15)))
      }
    }
  }

  @Test(arguments: [16, 32, 48, 128, 144, 272], [false, true])
  func stepsOfUnlikeNeurons(width: Int, adapts: Bool) {
    let constants = Constants(width)
    let (a, b, c) = (constants.vectors[0], constants.vectors[1], constants.vectors[2])
    let (theta, late) = (constants.vectors[4], constants.vectors[5])
    let (beta, fall, lift) = (constants.vectors[6], constants.vectors[7], constants.vectors[8])
    let (v0, i0) = (KernelTests.random(width, 1), KernelTests.random(width, 2))
    let adapt0 = KernelTests.random(width, 3).map { abs($0) }
    let (rows, current) = (KernelTests.random(2 * width, 4), KernelTests.random(width, 5))
    for kept in [false, true] {
      var (v, i, adapt) = (v0, i0, adapt0)
      var neurons = Array(repeating: UInt32(0), count: width)
      var slopes = Array(repeating: Float(0), count: width)
      var memories = slopes
      var (vs, currents, adaptRows) = (slopes, slopes, slopes)
      let count = constants.with(kept: kept) { each in
        var each = each
        return rows.withUnsafeBufferPointer { rows in
          [UInt32(1), 0].withUnsafeBufferPointer { index in
            let arriving = [
              ep_rows(rows: rows.baseAddress, stride: width, index: index.baseAddress, count: 2)
            ]
            return vs.withUnsafeMutableBufferPointer { vs in
              currents.withUnsafeMutableBufferPointer { currents in
                adaptRows.withUnsafeMutableBufferPointer { adaptRows in
                  var record = ep_each_record(
                    v: vs.baseAddress, i: currents.baseAddress, adapt: adaptRows.baseAddress)
                  return adapt.withUnsafeMutableBufferPointer { adapt in
                    ep_each_step(
                      &v, &i, adapts ? adapt.baseAddress : nil, &each, arriving, 1, nil, current,
                      &record, width, &neurons, &slopes, &memories)
                  }
                }
              }
            }
          }
        }
      }
      var found = 0
      for k in 0..<width {
        let start = i0[k] + current[k] + rows[width + k] + rows[k]
        let end = a[k] * v0[k] + c[k] * start
        let raised = adapts ? fall[k] * adapt0[k] : 0
        let limit = theta[k] + (adapts ? beta[k] * raised : 0)
        #expect(vs[k] == v0[k] && currents[k] == start && i[k] == b[k] * start)
        if end >= limit {
          #expect(neurons[found] == UInt32(k))
          #expect(slopes[found] == (start - end) + (adapts ? lift[k] * raised : 0))
          if adapts { #expect(memories[found] == raised && adapt[k] == raised + 1) }
          #expect(v[k] == (kept ? min(end - limit * late[k], limit.nextDown) : 0))
          found += 1
        } else {
          #expect(v[k] == end)
          if adapts { #expect(adapt[k] == raised) }
        }
      }
      #expect(found == count && count > 0 && count < width)
    }
  }

  @Test func transposes() {
    let (rows, columns) = (32, 48)
    let from = KernelTests.random(rows * columns, 1)
    var to = Array(repeating: Float(0), count: rows * columns)
    ep_transpose(&to, rows, from, columns, rows, columns)
    for i in 0..<rows {
      for j in 0..<columns { #expect(to[j * rows + i] == from[i * columns + j]) }
    }
  }

  /// Spikes on their way to a neuron, and back: what is sent is what is gathered.
  @Test func delays() {
    let (sources, steps, reach) = (5, 40, 9)
    var random = Random(seed: 1, "delay kernels")
    let weights = (0..<sources).map { _ in Float(random.normal()) }
    let delays = (0..<sources).map { _ in UInt32(random.index(below: reach + 1)) }
    let starts: [UInt32] = [0, 3, 3, 7, 8, 12]
    let times = (0..<12).map { _ in UInt32(random.index(below: steps)) }
    var series = Array(repeating: Float(0), count: steps + reach + 1)
    let trace = KernelTests.random(2 * (steps + reach + 1), 7)
    var currents = Array(repeating: Float(0), count: sources)
    var sums = currents
    var errors = Array(repeating: Float(0), count: 12)
    weights.withUnsafeBufferPointer { weights in
      delays.withUnsafeBufferPointer { delays in
        var synapses = ep_delays(weights: weights.baseAddress, steps: delays.baseAddress)
        ep_delay_spread(&series, &synapses, starts, times, sources)
        ep_delay_gather(trace, &synapses, starts, times, sources, &currents, &sums)
        ep_delay_errors(trace, &synapses, starts, times, sources, &errors)
      }
    }
    var expected = Array(repeating: Float(0), count: steps + reach + 1)
    for s in 0..<sources {
      var both: (Float, Float) = (0, 0)
      for k in Int(starts[s])..<Int(starts[s + 1]) {
        let n = Int(times[k] + delays[s])
        expected[n] += weights[s]
        both.0 += trace[2 * n]
        both.1 += trace[2 * n + 1]
        #expect(errors[k] == weights[s] * trace[2 * n + 1])
      }
      #expect(currents[s] == both.0 && sums[s] == both.1)
    }
    #expect(series == expected)
  }

  @Test func pairsOfSteps() {
    let (steps, width) = (24, 32)
    let (currents, errors) = (
      KernelTests.random(steps * width, 1), KernelTests.random(steps * width, 2)
    )
    var pairs = Array(repeating: Float(0), count: 16 * 2 * steps)
    currents.withUnsafeBufferPointer { currents in
      errors.withUnsafeBufferPointer { errors in
        ep_delay_pairs(
          &pairs, 2 * steps, currents.baseAddress! + 16, errors.baseAddress! + 16, width, steps)
      }
    }
    for lane in 0..<16 {
      for n in 0..<steps {
        #expect(pairs[lane * 2 * steps + 2 * n] == currents[n * width + 16 + lane])
        #expect(pairs[lane * 2 * steps + 2 * n + 1] == errors[n * width + 16 + lane])
      }
    }
  }
}
