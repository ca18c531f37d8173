// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Kernels
import Testing

/// Kernels of the exact solver, in Double.
@Suite struct ExactKernelTests {
  /// Any number of them, also none; as far as exp(-700), and that beyond it.
  @Test(arguments: [0, 1, 7, 8, 9, 50]) func exponentialsAreRightToTwoUnits(count: Int) {
    var random = Random(seed: count, "exponentials")
    for tau in [0.3, 5, 20, 1000] {
      let gaps = (0..<count).map { k in
        k == 0 ? 0 : k == 1 ? 800 * tau : tau * pow(10, random.uniform(-12, 2.8))
      }
      var found = Array(repeating: -1.0, count: count + 1)
      ep_exact_exps(gaps, count, tau, &found)
      for (gap, found) in zip(gaps, found) {
        let expected = exp(max(-gap / tau, -700))
        #expect(abs(found - expected) <= 2 * expected.ulp, "\(gap) / \(tau)")
      }
      #expect(found[count] == -1, "beyond the last")
    }
  }

  /// V(s) = A x + B x^n with x = exp(-s/tau_m) is at theta there, and below it before.
  @Test(arguments: 2...8) func rootsAreFirstCrossings(n: Int) {
    let neurons = 37
    var random = Random(seed: n, "roots")
    let theta = (0..<neurons).map { _ in random.uniform(0.5, 1.5) }
    let v = theta.map { random.uniform(-1, $0) }
    // So strong that V reaches theta at its maximum, some just so.
    let i = (0..<neurons).map { j in
      let strong = { (i: Double) -> Bool in
        let b = -i / Double(n - 1)
        let a = v[j] - b
        let x = pow(-a / (Double(n) * b), 1 / Double(n - 1))
        return x < 1 && a * x + b * pow(x, Double(n)) >= theta[j]
      }
      var i = theta[j]
      while !strong(i) { i *= 1.0001 }
      return i * (j % 3 == 0 ? 1 : random.uniform(1, 10))
    }
    var few = Few((0..<neurons).filter { $0 % 5 != 1 }.map { ($0, v[$0], i[$0], theta[$0]) })
    var roots = Array(repeating: 0.0, count: (few.count + 7) / 8 * 8)
    few.lend { ep_exact_roots(&$0, Int32(n), &roots) }
    for (j, root) in zip(few.index.prefix(few.count).map { Int($0) }, roots) {
      let b = -i[j] / Double(n - 1)
      let a = v[j] - b
      func voltage(_ x: Double) -> Double { a * x + b * pow(x, Double(n)) }
      #expect(root > 0 && root < 1)
      #expect(abs(voltage(root) - theta[j]) < 1e-13 * max(i[j], 1))
      for step in 1..<100 {
        let x = root + (1 - root) * Double(step) / 100
        #expect(voltage(x) < theta[j] + 1e-13 * max(i[j], 1))
      }
    }
  }

  /// Also where exp(-gap/tau) is next to 1.
  @Test func risesAreRightWhereTheyAreSmall() {
    var random = Random(seed: 3, "rises")
    let gaps = (0..<60).map { k in k == 0 ? 0 : pow(10, random.uniform(-14, 3)) }
    var found = Array(repeating: -1.0, count: gaps.count)
    ep_exact_rises(gaps, gaps.count, 7, &found)
    for (gap, found) in zip(gaps, found) {
      let expected = -expm1(-gap / 7)
      #expect(abs(found - expected) <= 3 * expected.ulp, "\(gap)")
    }
  }

  /// Short gaps have a series of their own.
  @Test(arguments: [1e-9, 0.01, 0.3, 0.62, 0.63, 5, 300]) func flowsOfEachAreRight(gap: Double) {
    let width = 16
    var random = Random(seed: 5, "flows")
    let tauMem = (0..<width).map { _ in random.uniform(10, 30) }
    let tauSyn = (0..<width).map { $0 % 4 == 0 ? tauMem[$0] : random.uniform(5, 9) }
    let (slow, fast) = (tauMem.map { 1 / $0 }, tauSyn.map { 1 / $0 })
    let rise = zip(tauMem, tauSyn).map { $0 == $1 ? 0 : $1 / ($0 - $1) }
    var memory = Array(repeating: 1.0, count: 3 * width) + slow + fast + rise
    memory.withUnsafeMutableBufferPointer { memory in
      func array(_ number: Int) -> UnsafeMutablePointer<Double> {
        memory.baseAddress! + number * width
      }
      var flow = ep_exact_flow(
        a: array(0), b: array(1), c: array(2), rate_mem: array(3), rate_syn: array(4),
        rise: array(5), ratio: nil, share: nil, fastest: fast.max()!)
      ep_exact_flows(&flow, gap, width)
    }
    let (a, b, c) = (
      Array(memory[..<width]), Array(memory[width..<(2 * width)]),
      Array(memory[(2 * width)..<(3 * width)])
    )
    for j in 0..<width {
      let expected = (a: exp(-gap * slow[j]), b: exp(-gap * fast[j]))
      #expect(abs(a[j] - expected.a) <= 2 * expected.a.ulp)
      #expect(abs(b[j] - expected.b) <= 2 * expected.b.ulp)
      let same = Decay(over: gap, tauMem: tauMem[j], tauSyn: tauSyn[j]).rise
      #expect(abs(c[j] - same) <= 1e-15 * max(rise[j], 1))
    }
  }

  /// Of tau_m 20 and tau_s 5 ms.
  private func flow(over gap: Double) -> ep_flow {
    let (a, b) = (exp(-gap / 20), exp(-gap / 5))
    return ep_flow(a: a, b: b, c: (a - b) / 3)
  }

  /// As the definitions have it, one by one: also of more neurons than one round takes, the last of
  /// them reset.
  @Test(arguments: [16, 80, 272, 4096 + 80], [false, true])
  func eventsAreAsOneByOne(width: Int, isReset: Bool) {
    var random = Random(seed: width, "events")
    func draw(_ count: Int, _ range: ClosedRange<Double>) -> [Double] {
      (0..<count).map { _ in random.uniform(range.lowerBound, range.upperBound) }
    }
    let (v, i, rows) = (draw(width, 0...1), draw(width, 0...6), draw(3 * width, -0.5...0.5))
    var (past, ahead) = (flow(over: 0.4), flow(over: 0.7))
    let (reach, spiking) = (0.7 / 20 * (1 + 1e-9), isReset ? width - 3 : width)
    let index: [UInt32] = [2, 0]
    var (after, current) = (v, i)
    var few = Few((0..<width).map { ($0, 0, 0, 0) })
    var found = 0
    rows.withUnsafeBufferPointer { rows in
      index.withUnsafeBufferPointer { index in
        var arriving = ep_exact_rows(
          rows: rows.baseAddress, stride: width, index: index.baseAddress, count: 2)
        var upcoming = arriving
        few.lend {
          ep_exact_step(
            &after, &current, Array(repeating: 1, count: width), &past, &arriving, &upcoming,
            spiking, &ahead, reach, width, &$0)
          found = $0.count
        }
      }
    }
    var expected: [Int] = []
    for j in 0..<width {
      let voltage = j == spiking ? 0 : past.a * v[j] + past.c * i[j]
      let sum = past.b * i[j] + rows[2 * width + j] + rows[j]
      #expect(after[j] == voltage && current[j] == sum)
      let end = ahead.a * voltage + ahead.c * sum
      if voltage + reach * (sum - voltage) >= 1 && sum > 1
        && (end >= 1 || ahead.b * sum < end || voltage >= 1)
      {
        expected.append(j)
      }
    }
    #expect(few.index.prefix(found).map { Int($0) } == expected && !expected.isEmpty)
    #expect(few.v.prefix(found).elementsEqual(expected.map { after[$0] }))
  }

  /// lI goes to each row, and the sum is what it is by the definition.
  @Test(arguments: [16, 80, 272]) func eventsGoBackAsOneByOne(width: Int) {
    var random = Random(seed: width, "back")
    func draw(_ count: Int) -> [Double] { (0..<count).map { _ in random.uniform(-1, 1) } }
    let (lv, li, weights, sums) = (draw(width), draw(width), draw(width), draw(4 * width))
    var gap = ep_flow(a: 0.9, b: 0.7, c: 0.25)
    for rows in [[3], [1, 0, 3]] as [[UInt32]] {
      var (voltage, current, gradient) = (lv, li, sums)
      let error = ep_exact_back(
        &voltage, &current, &gap, weights, &gradient, width, rows, rows.count, width)
      var expected = 0.0
      for j in 0..<width {
        let (v, i) = (gap.a * lv[j], gap.b * li[j] + gap.c * lv[j])
        #expect(voltage[j] == v && current[j] == i)
        expected += weights[j] * (v - i)
        for row in 0..<4 {
          let at = row * width + j
          #expect(gradient[at] == (rows.contains(UInt32(row)) ? sums[at] + i : sums[at]))
        }
      }
      #expect(abs(error - expected) < 1e-13)
    }
  }

  /// As the definitions have it, one by one; more than a vector of them.
  @Test func fewAreFoundAsOneByOne() {
    var random = Random(seed: 8, "few")
    var flow = flow(over: 0.4)
    for count in 1..<30 {
      var few = Few(
        (0..<count).map { ($0, random.uniform(0.9, 1.01), random.uniform(1.02, 8), 1.0) })
      var places = Array(repeating: UInt32(99), count: count)
      var (found, likeliest) = (0, 0)
      few.lend {
        found = ep_exact_within(&$0, &flow, &places)
        likeliest = ep_exact_likeliest(&$0)
      }
      let expected = (0..<count).filter { k in
        let end = flow.a * few.v[k] + flow.c * few.i[k]
        return end >= 1 || flow.b * few.i[k] < end || few.v[k] >= 1
      }
      #expect(places.prefix(found).map { Int($0) } == expected)
      let tangents = (0..<count).map { (1 - few.v[$0]) / (few.i[$0] - few.v[$0]) }
      #expect(tangents[likeliest] == tangents.min())
    }
  }
}

/// Room for some neurons, whole vectors of them.
private struct Few {
  var index: [UInt32]
  let count: Int
  private let room: Int
  /// V, I and thresholds.
  private var memory: [Double]

  init(_ neurons: [(index: Int, v: Double, i: Double, theta: Double)]) {
    count = neurons.count
    room = (count + 7) / 8 * 8
    index = neurons.map { UInt32($0.index) }
    let rest = Array(repeating: 0.0, count: room - count)
    memory = neurons.map(\.v) + rest + neurons.map(\.i) + rest + neurons.map(\.theta) + rest
  }

  var v: ArraySlice<Double> { memory[..<count] }
  var i: [Double] { Array(memory[room..<(room + count)]) }

  mutating func lend(_ body: (inout ep_exact_few) -> Void) {
    let (count, room) = (count, room)
    index.withUnsafeMutableBufferPointer { index in
      memory.withUnsafeMutableBufferPointer { memory in
        let base = memory.baseAddress!
        var few = ep_exact_few(
          index: index.baseAddress, v: base, i: base + room, theta: base + 2 * room, count: count)
        body(&few)
      }
    }
  }
}
