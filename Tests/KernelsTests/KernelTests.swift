// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Kernels
import Testing

/// Each kernel against a scalar loop, at widths that use every block size.
@Suite struct KernelTests {
  static let widths = [16, 32, 48, 64, 80, 96, 112, 256, 272, 496]

  static func random(_ count: Int, _ seed: Int) -> [Float] {
    var random = Random(seed: seed, "kernel test")
    return (0..<count).map { _ in Float(random.normal()) }
  }

  @Test(arguments: widths, [false, true])
  func lifStepAddsArrivalsAndFindsEverySpike(width: Int, carries: Bool) {
    let reset = ep_reset(taken: 0.55, most: Float(0.6).nextDown, kept: carries ? -1 : 0)
    let (a, b, c, theta): (Float, Float, Float, Float) = (0.95, 0.8, 0.17, 0.6)
    let v0 = Self.random(width, 3)
    let i0 = Self.random(width, 4)
    let rows = Self.random(3 * width, 5)
    var v = v0
    var i = i0
    var neurons = Array(repeating: UInt32(0), count: width)
    var slopes = Array(repeating: Float(0), count: width)
    let index: [UInt32] = [2, 0, 1]
    let count = rows.withUnsafeBufferPointer { rows in
      index.withUnsafeBufferPointer { index in
        let arriving = [
          ep_rows(rows: rows.baseAddress, stride: width, index: index.baseAddress, count: 2),
          ep_rows(rows: rows.baseAddress, stride: width, index: index.baseAddress! + 2, count: 1),
        ]
        return ep_lif_step(
          &v, &i, a, b, c, theta, reset, arriving, 2, arriving, 1000, width, &neurons, &slopes)
      }
    }
    var expected: [UInt32] = []
    for k in 0..<width {
      let start = i0[k] + rows[2 * width + k] + rows[k] + rows[width + k]
      let end = a * v0[k] + c * start
      #expect(i[k] == b * start)
      if end >= theta {
        #expect(slopes[expected.count] == start - end)
        expected.append(UInt32(1000 + k))
        #expect(v[k] == (reset.kept == 0 ? 0 : min(end - reset.taken, reset.most)))
      } else {
        #expect(v[k] == end)
      }
    }
    #expect(Array(neurons.prefix(count)) == expected)
    #expect(count > 0)
  }

  /// Arrivals of three rows in 40 steps: rows, and the index and offsets that say when.
  static func arrivals(_ width: Int) -> (rows: [Float], index: [UInt32], offsets: [UInt32]) {
    let offsets = (0...40).map { UInt32($0 < 3 ? 0 : $0 < 20 ? 2 : 3) }
    return (random(3 * width, 5), [2, 0, 1], offsets)
  }

  @Test(arguments: widths, [false, true])
  func lifBlockIsManySteps(width: Int, carries: Bool) {
    let reset = ep_reset(taken: 0.28, most: Float(0.3).nextDown, kept: carries ? -1 : 0)
    let (a, b, c, theta): (Float, Float, Float, Float) = (0.95, 0.9, 0.17, 0.3)
    let (rows, index, offsets) = Self.arrivals(width)
    var (v, i) = (
      Array(repeating: Float(0), count: width), Array(repeating: Float(0), count: width)
    )
    var expected: [[UInt32]] = []
    var expectedSlopes: [Float] = []
    var neurons = Array(repeating: UInt32(0), count: 40 * width)
    var slopes = Array(repeating: Float(0), count: 40 * width)
    var codes = neurons
    for n in 0..<40 {
      let count = rows.withUnsafeBufferPointer { rows in
        index.withUnsafeBufferPointer { index in
          let arriving = ep_rows(
            rows: rows.baseAddress, stride: width, index: index.baseAddress! + Int(offsets[n]),
            count: Int(offsets[n + 1] - offsets[n]))
          return ep_lif_step(
            &v, &i, a, b, c, theta, reset, [arriving], 1, [arriving], 0, width, &neurons, &slopes)
        }
      }
      for k in 0..<count {
        expected.append([UInt32(n + 1), neurons[k]])
        expectedSlopes.append(slopes[k])
      }
    }
    var all: [(spike: [UInt32], slope: Float)] = []
    for first in stride(from: 0, to: width, by: Int(EP_BLOCK)) {
      let count = ep_lif_block(
        a, b, c, theta, reset, Array(rows[first...]), width, index, offsets, 40,
        min(Int(EP_BLOCK), width - first), &codes, &slopes)
      for k in 0..<count {
        let (time, lane) = (ep_code_time(codes[k]), ep_code_lane(codes[k]))
        all.append(([time, UInt32(first) + lane], slopes[k]))
      }
    }
    all.sort { ($0.spike[0], $0.spike[1]) < ($1.spike[0], $1.spike[1]) }
    #expect(all.map(\.spike) == expected)
    #expect(all.map(\.slope) == expectedSlopes)
    #expect(expected.count > 3)
  }

  @Test(arguments: widths) func liTrialKeepsMeans(width: Int) {
    let (rows, index, offsets) = Self.arrivals(width)
    let weights = Self.random(40, 6)
    var mean = Array(repeating: Float(0), count: width)
    var means = Array(repeating: Float(0), count: 40 * width)
    var (voltages, currents) = (means, means)
    ep_li_trial(
      0.9, 0.8, 0.1, 0.95, 0.05, rows, width, index, offsets, 40, weights, &mean, &means, &voltages,
      &currents, width)
    for k in 0..<width {
      var (v, i, sum): (Float, Float, Float) = (0, 0, 0)
      for n in 0..<40 {
        for r in Int(offsets[n])..<Int(offsets[n + 1]) { i += rows[Int(index[r]) * width + k] }
        let average = Float(0.95) * v + Float(0.05) * i
        v = Float(0.9) * v + Float(0.1) * i
        i = Float(0.8) * i
        sum += weights[n] * average
        #expect(means[n * width + k] == average)
        #expect(voltages[n * width + k] == v)
        #expect(currents[n * width + k] == i)
      }
      #expect(mean[k] == sum)
    }
  }

  @Test(arguments: widths) func adjointFreeAndDriven(width: Int) {
    let v0 = Self.random(width, 7)
    let i0 = Self.random(width, 8)
    let drive = Self.random(4 * width, 9)
    let weights: [Float] = [0.3, 0.2, 0.5, 0.1]
    var (v, i) = (v0, i0)
    ep_adjoint_gap(&v, i0, &i, ep_gap(a: 0.9, b: 0.8, c: 0.1), width)
    for k in 0..<width {
      #expect(i[k] == Float(0.8) * i0[k] + Float(0.1) * v0[k])
      #expect(v[k] == Float(0.9) * v0[k])
    }
    for (stride, end) in [(0, 3), (width, 3), (0, 4), (width, 4)] {
      (v, i) = (v0, i0)
      var kept = i0
      ep_adjoint_driven(
        &v, &i, &kept, 0.9, 0.8, 0.1, drive, stride, weights, 0.5, 1, end, 4, width)
      for k in 0..<width {
        // lV and lI themselves; at T the drive is none yet.
        func u(_ n: Int) -> Float { n < 4 ? -0.5 * weights[n] * drive[n * stride + k] : 0 }
        var (lv, li) = (v0[k] + u(end), i0[k] + u(end))
        for n in (1..<end).reversed() {
          let above = lv - u(n)
          li = 0.8 * (li - u(n)) + 0.1 * above + u(n)
          lv = 0.9 * above + u(n)
        }
        #expect(abs(kept[k] - li) < 1e-6)
        #expect(abs(v[k] - (lv - u(1))) < 1e-6)
        #expect(abs(i[k] - (li - u(1))) < 1e-6)
      }
    }
  }

  /// Under a drive that stays the same lV - lI decays to 0 and is no rest of two large numbers.
  @Test func drivenDifferenceHasNoFloor() {
    let drive = Array(repeating: Float(0.37), count: 16)
    let weights = Array(repeating: Float(1e-3), count: 1000)
    var v = Array(repeating: Float(0), count: 16)
    var i = v
    let (a, b) = (Float(exp(-1.0 / 20)), Float(exp(-1.0 / 5)))
    ep_adjoint_driven(
      &v, &i, nil, a, b, 20 / 15 * (a - b), drive, 0, weights, 1, 0, 1000, 1000, 16)
    // lV - lI after 1000 ms of two exponentials, tau 20 ms and 5 ms.
    let expected = 0.37e-3 * (exp(-1000.0 / 20) - 20.0 / 15 * exp(-1000.0 / 20))
    #expect(abs(Double(v[0] - i[0]) - expected) < 1e-3 * abs(expected))
  }

  @Test(arguments: widths) func dotsOfSeveralRows(width: Int) {
    let w = Self.random(3 * width, 10)
    let x = Self.random(width, 11)
    let y = Self.random(width, 12)
    let index: [UInt32] = [1, 2, 0, 0, 1, 2, 2]
    for count in 0...index.count {
      var errors = Array(repeating: Float(1), count: index.count)
      ep_dot_rows(&errors, w, width, index, count, x, y, width)
      for (place, row) in index.enumerated() {
        let exact = (0..<width).reduce(1.0) {
          $0 + Double(w[Int(row) * width + $1]) * Double(x[$1] - y[$1])
        }
        #expect(abs(Double(errors[place]) - (place < count ? exact : 1)) < 1e-4)
      }
    }
  }

  @Test(arguments: widths) func gatherAddsRowsInOrder(width: Int) {
    let (stride, wide) = (width + 16, width + 32)
    let trace = Self.random(3 * wide, 20)
    let before = Self.random(3 * stride, 22)
    // Neuron 0 has no spike, 1 has three, 2 has one.
    let starts: [UInt32] = [0, 0, 3, 4]
    let index: [UInt32] = [2, 0, 1, 1]
    var sum = before
    var expected = before
    for neuron in 0..<3 {
      for r in starts[neuron]..<starts[neuron + 1] {
        for k in 0..<width {
          expected[neuron * stride + k] += trace[Int(index[Int(r)]) * wide + k]
        }
      }
    }
    ep_gather(&sum, stride, trace, wide, starts, index, 3, width)
    #expect(sum == expected)
  }

  /// Arrivals and spikes that meet, follow each other, and come at both ends of the trial.
  @Test(arguments: [16, 32, 48, 64, 80, 96, 112, 128], [false, true])
  func blockAdjointIsSpikeBySpike(width: Int, pushed: Bool) {
    let (steps, theta) = (40, Float(0.7))
    let gaps = (0...steps).map { d -> ep_gap in
      let (a, b) = (Float(0.9), Float(0.8))
      var gap = ep_gap(a: 1, b: 1, c: 0)
      for _ in 0..<d { gap = ep_gap(a: gap.a * a, b: gap.b * b, c: gap.c * b + 0.1 * gap.a) }
      return gap
    }
    let arrivals: [(time: Int, neuron: Int)] = [(0, 2), (3, 0), (3, 1), (17, 2), (39, 0)]
    let own: [(time: Int, lane: Int)] = [
      (1, 3), (3, 0), (3, width - 1), (17, 5), (25, 0), (40, 7), (40, width - 1),
    ]
    let (slopes, errors) = (Self.random(7, 30).map { abs($0) + 0.5 }, Self.random(7, 31))
    let push = Self.random(width, 32)
    let before = Self.random(3 * width, 33)
    var gradient = before
    let codes = own.map { ep_code($0.time, $0.lane) }
    arrivals.map { UInt32($0.neuron) }.withUnsafeBufferPointer { neurons in
      arrivals.map { UInt32($0.time) }.withUnsafeBufferPointer { times in
        let arriving = ep_spikes(
          neurons: neurons.baseAddress, times: times.baseAddress, count: neurons.count)
        ep_lif_block_adjoint(
          gaps, theta, [arriving], codes, slopes, errors, codes.count, pushed ? push : nil, steps,
          &gradient, width)
      }
    }
    var expected = before
    for j in 0..<width {
      var (lv, li) = (Float(0), Float(0))
      var later = steps
      for n in stride(from: steps, through: 0, by: -1)
      where own.contains(where: { $0.time == n }) || arrivals.contains(where: { $0.time == n }) {
        let gap = gaps[later - n]
        li = gap.b * li + gap.c * lv
        lv = gap.a * lv
        later = n
        for spike in arrivals where spike.time == n { expected[spike.neuron * width + j] += li }
        for (k, spike) in own.enumerated() where spike.time == n && spike.lane == j {
          lv += (theta * lv + errors[k]) / slopes[k]
          if pushed { lv += push[j] }
        }
      }
    }
    #expect(gradient == expected)
    #expect(gradient != before)
  }

  @Test func timeIndicesRoundAndEnd() {
    let times: [Double] = [0, 0.04, 0.06, 0.96, 1, 1.96, 2, 7e9, .infinity]
    var index = Array(repeating: UInt32(99), count: times.count)
    ep_time_indices(&index, times, times.count, 10, 20)
    #expect(index == [0, 0, 1, 10, 10, 20, 20, 20, 20])
    index[0] = 99
    ep_time_indices(&index, times, 0, 10, 20)
    #expect(index[0] == 99)
  }

  @Test(arguments: widths) func scaleAndAdam(width: Int) {
    let copies = [Self.random(width, 13), Self.random(width, 14)]
    var sum = copies[1]
    let squares = ep_scale(&sum, 0.5, width)
    for k in 0..<width { #expect(sum[k] == copies[1][k] * 0.5) }
    let exact = sum.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(Double(squares) - exact) < 1e-4 * exact)

    var (w, m, v) = (copies[0], Array(repeating: Float(0), count: width), copies[1].map { $0 * $0 })
    let v0 = v
    ep_adam(&w, &m, &v, sum, 2, 0.01, 0.9, 0.999, 1e-8, width)
    for k in 0..<width {
      let g = 2 * sum[k]
      let mean = (1 - Float(0.9)) * g
      let square = Float(0.999) * v0[k] + (1 - Float(0.999)) * (g * g)
      #expect(m[k] == mean)
      #expect(v[k] == square)
      #expect(w[k] == copies[0][k] - 0.01 * mean / (square.squareRoot() + 1e-8))
    }
  }

  @Test(arguments: widths) func gradientDescent(width: Int) {
    let (w0, b0, g) = (Self.random(width, 15), Self.random(width, 16), Self.random(width, 17))
    for nesterov in [Int32(0), 1] {
      var (w, b) = (w0, b0)
      ep_sgd(&w, &b, g, 2, 0.01, 0.9, 0.5, nesterov, width)
      for k in 0..<width {
        let step = 2 * g[k] + 0.5 * w0[k]
        let sum = 0.9 * b0[k] + step
        #expect(b[k] == sum)
        #expect(w[k] == w0[k] - 0.01 * (nesterov == 1 ? step + 0.9 * sum : sum))
      }
    }
    var w = w0
    ep_sgd(&w, nil, g, 2, 0.01, 0, 0.5, 0, width)
    for k in 0..<width { #expect(w[k] == w0[k] - 0.01 * (2 * g[k] + 0.5 * w0[k])) }
  }

  @Test(arguments: widths) func limits(width: Int) {
    let start = Self.random(width, 18)
    var values = start
    ep_limit(&values, 2, 0.5, width)
    for k in 0..<width { #expect(values[k] == min(max(2 * start[k], -0.5), 0.5)) }
  }
}
