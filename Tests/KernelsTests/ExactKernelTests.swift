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
    let candidates = (0..<UInt32(neurons)).filter { $0 % 5 != 1 }
    var roots = Array(repeating: 0.0, count: candidates.count)
    ep_exact_roots(v, i, theta, candidates, candidates.count, Int32(n), &roots)
    for (candidate, root) in zip(candidates, roots) {
      let j = Int(candidate)
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
}
