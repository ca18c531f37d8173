// SPDX-License-Identifier: MIT

extension Network {
  /// Where neurons of the first layer do not reach each other, are all alike, and are not the
  /// output: blocks of about 64 of them, which `BlockBatch` runs through a batch on their own.
  /// Columns of the first matrix, padding included; empty elsewhere.
  var blocks: [Range<Int>] {
    guard layers.count > 1, layers[0].neuron == .lif, !layers[0].isRecurrent,
      layers[0].isUniform, layers[0].delays == nil
    else { return [] }
    let vectors = paddedWidth(layers[0].size) / 16
    let count = (vectors + 3) / 4
    return (0..<count).map { (16 * ($0 * vectors / count))..<(16 * (($0 + 1) * vectors / count)) }
  }
}
