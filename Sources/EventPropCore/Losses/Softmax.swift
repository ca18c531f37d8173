// SPDX-License-Identifier: MIT

import Foundation

/// `-log softmax(scale * values)[label]`; writes `scale * (softmax - onehot)` to `gradient`.
/// The maximum is subtracted first, so any finite values are safe.
func crossEntropy(
  _ values: UnsafeBufferPointer<Double>, scale: Double, label: Int,
  gradient: UnsafeMutableBufferPointer<Double>
) -> Double {
  var highest = -Double.infinity
  for value in values { highest = max(highest, scale * value) }
  var total = 0.0
  for j in values.indices {
    gradient[j] = exp(scale * values[j] - highest)
    total += gradient[j]
  }
  for j in values.indices { gradient[j] *= scale / total }
  gradient[label] -= scale
  return log(total) + (highest - scale * values[label])
}
