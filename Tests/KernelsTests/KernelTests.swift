import EventPropCore
import Kernels
import Testing

/// Each kernel against a scalar loop, at widths that use every block size.
@Suite struct KernelTests {
  static let widths = [16, 32, 48, 112, 256, 272, 496]

  static func random(_ count: Int, _ seed: Int) -> [Float] {
    var random = Random(seed: seed, "kernel test")
    return (0..<count).map { _ in Float(random.normal()) }
  }

  @Test(arguments: widths) func sumRowsAddsInOrder(width: Int) {
    let rows = Self.random(7 * width, 1)
    var sum = Self.random(width, 2)
    var expected = sum
    let index: [UInt32] = [3, 0, 6, 3]
    for row in index { for k in 0..<width { expected[k] += rows[Int(row) * width + k] } }
    ep_sum_rows(&sum, rows, width, index, index.count, width)
    #expect(sum == expected)
    ep_sum_rows(&sum, rows, width, index, 0, width)
    #expect(sum == expected)
  }

  @Test(arguments: widths) func lifStepFindsEverySpike(width: Int) {
    let (a, b, c, theta): (Float, Float, Float, Float) = (0.95, 0.8, 0.17, 0.6)
    let v0 = Self.random(width, 3)
    let i0 = Self.random(width, 4)
    var v = v0
    var i = i0
    var neurons = Array(repeating: UInt32(0), count: width)
    var slopes = Array(repeating: Float(0), count: width)
    let count = ep_lif_step(&v, &i, a, b, c, theta, width, &neurons, &slopes)
    var expected: [UInt32] = []
    for k in 0..<width {
      let end = a * v0[k] + c * i0[k]
      #expect(i[k] == b * i0[k])
      if end >= theta {
        #expect(slopes[expected.count] == i0[k] - end)
        expected.append(UInt32(k))
        #expect(v[k] == 0)
      } else {
        #expect(v[k] == end)
      }
    }
    #expect(Array(neurons.prefix(count)) == expected)
    #expect(count > 0)
  }

  @Test(arguments: widths) func liStepKeepsMeans(width: Int) {
    let v0 = Self.random(width, 5)
    let i0 = Self.random(width, 6)
    var (v, i) = (v0, i0)
    var mean = Array(repeating: Float(1), count: width)
    var means = Array(repeating: Float(0), count: width)
    ep_li_step(&v, &i, 0.9, 0.8, 0.1, 0.95, 0.05, 0.5, &mean, &means, width)
    for k in 0..<width {
      let average = Float(0.95) * v0[k] + Float(0.05) * i0[k]
      #expect(means[k] == average)
      #expect(mean[k] == 1 + 0.5 * average)
      #expect(v[k] == Float(0.9) * v0[k] + Float(0.1) * i0[k])
      #expect(i[k] == Float(0.8) * i0[k])
    }
  }

  @Test(arguments: widths) func adjointStepDrivenAndFree(width: Int) {
    let v0 = Self.random(width, 7)
    let i0 = Self.random(width, 8)
    let drive = Self.random(width, 9)
    var trace = Array(repeating: Float(0), count: width)
    var (v, i) = (v0, i0)
    ep_adjoint_step(&v, &i, 0.9, 0.8, 0.1, nil, 0.5, &trace, width)
    for k in 0..<width {
      #expect(i[k] == Float(0.8) * i0[k] + Float(0.1) * v0[k])
      #expect(v[k] == Float(0.9) * v0[k])
    }
    #expect(trace == i)
    (v, i) = (v0, i0)
    ep_adjoint_step(&v, &i, 0.9, 0.8, 0.1, drive, 0.5, &trace, width)
    for k in 0..<width {
      let u = -Float(0.5) * drive[k]
      #expect(i[k] == Float(0.8) * (i0[k] - u) + Float(0.1) * (v0[k] - u) + u)
      #expect(v[k] == Float(0.9) * (v0[k] - u) + u)
    }
  }

  @Test(arguments: widths) func dotDifference(width: Int) {
    let w = Self.random(width, 10)
    let x = Self.random(width, 11)
    let y = Self.random(width, 12)
    let exact = (0..<width).reduce(0.0) { $0 + Double(w[$1]) * Double(x[$1] - y[$1]) }
    #expect(abs(Double(ep_dot_difference(w, x, y, width)) - exact) < 1e-4)
  }

  @Test(arguments: widths) func reduceAndAdam(width: Int) {
    let copies = [Self.random(width, 13), Self.random(width, 14), Self.random(width, 15)]
    var (x, y, z) = (copies[0], copies[1], copies[2])
    var sum = Array(repeating: Float(0), count: width)
    let squares = x.withUnsafeMutableBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        z.withUnsafeMutableBufferPointer { z in
          ep_reduce(&sum, [x.baseAddress, y.baseAddress, z.baseAddress], 3, 0.5, width)
        }
      }
    }
    for k in 0..<width { #expect(sum[k] == (copies[0][k] + copies[1][k] + copies[2][k]) * 0.5) }
    #expect((x + y + z).allSatisfy { $0 == 0 })
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
}
