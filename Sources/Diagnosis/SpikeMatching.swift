// SPDX-License-Identifier: MIT

import EventPropCore

/// Which spikes of one neuron in one trial, before an update, are which ones after it.
///
/// The cheapest alignment in order of time: a move costs |t - t'|, a deletion or a creation `reach`
/// / 2 each, so that spikes pair up when they are at most `reach` apart. This is the spike train
/// metric of Victor & Purpura, J. Neurophysiol. 76 (1996) 1310, with q = 2 / `reach`. Swapping the
/// trains swaps created and deleted. O(n m) time and memory for n and m spikes; trains of
/// thousands, which only exploded weights give, are cut at wide gaps and aligned piece by piece.
public struct SpikeMatching: Sendable, Equatable {
  /// Indices of paired spikes, in order of time.
  public private(set) var moved: [(before: Int, after: Int)] = []
  /// Indices of the spikes before that have no partner.
  public private(set) var deleted: [Int] = []
  /// Indices of the spikes after that have no partner.
  public private(set) var created: [Int] = []
  /// Of the alignment, ms.
  public private(set) var cost = 0.0

  /// - Parameters:
  ///   - before: times in ms, ascending; `after` likewise.
  ///   - reach: how far apart, in ms, a pair may be.
  public init(before: [Double], after: [Double], reach: Double) {
    if before == after {
      moved = before.indices.map { ($0, $0) }
      return
    }
    var (i, j) = (0, 0)
    while i < before.count || j < after.count {
      let (p, q) = SpikeMatching.piece(before[i...], after[j...])
      align(before[i..<p], after[j..<q], reach: reach)
      (i, j) = (p, q)
    }
  }

  /// Of more than so many spikes a piece is aligned at a time.
  private static let longest = 2000

  /// Where the next piece ends: all there is, or where the widest gap lies among the spikes that a
  /// piece may end at.
  private static func piece(_ before: ArraySlice<Double>, _ after: ArraySlice<Double>) -> (
    before: Int, after: Int
  ) {
    guard before.count + after.count > longest else { return (before.endIndex, after.endIndex) }
    var (i, j) = (before.startIndex, after.startIndex)
    var last = -Double.infinity
    var widest = -1.0
    var end = (i, j)
    for taken in 0..<longest {
      let isBefore = j == after.endIndex || (i < before.endIndex && before[i] <= after[j])
      let time = isBefore ? before[i] : after[j]
      if taken >= longest / 2, time - last > widest {
        widest = time - last
        end = (i, j)
      }
      last = time
      if isBefore { i += 1 } else { j += 1 }
    }
    return end
  }

  private mutating func align(
    _ before: ArraySlice<Double>, _ after: ArraySlice<Double>, reach: Double
  ) {
    let (firstI, firstJ) = (before.startIndex, after.startIndex)
    let (n, m) = (before.count, after.count)
    let single = reach / 2
    func old(_ i: Int) -> Double { before[firstI + i] }
    func new(_ j: Int) -> Double { after[firstJ + j] }
    // costs[i, j]: the cheapest alignment of before[i...] with after[j...].
    var costs = Array(repeating: 0.0, count: (n + 1) * (m + 1))
    func at(_ i: Int, _ j: Int) -> Int { i * (m + 1) + j }
    for i in (0..<n).reversed() { costs[at(i, m)] = costs[at(i + 1, m)] + single }
    for j in (0..<m).reversed() { costs[at(n, j)] = costs[at(n, j + 1)] + single }
    for i in (0..<n).reversed() {
      for j in (0..<m).reversed() {
        costs[at(i, j)] = min(
          costs[at(i + 1, j + 1)] + abs(old(i) - new(j)),
          min(costs[at(i + 1, j)], costs[at(i, j + 1)]) + single)
      }
    }
    cost += costs[0]
    var (i, j) = (0, 0)
    while i < n || j < m {
      if i < n, j < m, costs[at(i, j)] == costs[at(i + 1, j + 1)] + abs(old(i) - new(j)) {
        moved.append((firstI + i, firstJ + j))
        i += 1
        j += 1
        continue
      }
      // Among equally cheap ways the earlier spike stays alone: the same choice when trains are
      // swapped.
      let canDelete = i < n && costs[at(i, j)] == costs[at(i + 1, j)] + single
      let canCreate = j < m && costs[at(i, j)] == costs[at(i, j + 1)] + single
      if canDelete && (!canCreate || old(i) <= new(j)) {
        deleted.append(firstI + i)
        i += 1
      } else {
        created.append(firstJ + j)
        j += 1
      }
    }
  }

  /// The same pairs and lone spikes; `cost` is not compared.
  public static func == (a: SpikeMatching, b: SpikeMatching) -> Bool {
    a.deleted == b.deleted && a.created == b.created && a.moved.elementsEqual(b.moved, by: ==)
  }
}

extension Network {
  /// Matches the spikes of a layer, neuron by neuron, those without any left out.
  /// - Parameter body: told of each neuron with its times before and after, in order.
  func forEachMatching(
    ofLayer layer: Int, before: TrialSpikes, after: TrialSpikes, reach: Double,
    _ body: (_ neuron: Int, _ before: [Double], _ after: [Double], SpikeMatching) -> Void
  ) {
    let size = layers[layer].size
    let old = timesByNeuron(before[layer], size: size)
    let new = timesByNeuron(after[layer], size: size)
    for neuron in 0..<size where !(old[neuron].isEmpty && new[neuron].isEmpty) {
      body(
        neuron, old[neuron], new[neuron],
        SpikeMatching(before: old[neuron], after: new[neuron], reach: reach))
    }
  }
}
