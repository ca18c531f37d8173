// SPDX-License-Identifier: MIT

import EventPropCore

/// How validation samples are taken out of the training samples.
public enum ValidationSplit: Sendable, Equatable {
  case none
  /// This many samples, drawn at random.
  case random(Int)
  /// All samples of these speakers.
  case speakers([Int])
  /// One of so many parts, counted from 1: drawn at random, alike in size and in classes. All
  /// parts together are all samples.
  case fold(Int, of: Int)

  /// - Throws: `FileError` when it would leave nothing to train on, or a speaker is not there.
  public func apply(to data: SpikeDataSet, seed: Int) throws -> (
    train: SpikeDataSet, validate: SpikeDataSet
  ) {
    switch self {
    case .none:
      return (data, data.selecting([]))
    case .random(let count):
      guard count < data.count else {
        throw FileError(
          data.name,
          "data.validate = \(count) of \(data.count) training samples leaves none to train")
      }
      var random = Random(seed: seed, "validation split")
      let order = Array(0..<data.count).shuffled(using: &random)
      return (
        data.selecting(order.dropFirst(count).sorted()),
        data.selecting(order.prefix(count).sorted())
      )
    case .fold(let fold, let count):
      let parts = try data.folds(count, seed: seed)
      let left = parts[fold - 1]
      let inside = parts.enumerated().flatMap { $0 == fold - 1 ? [] : $1 }.sorted()
      return (data.selecting(inside), data.selecting(left))
    case .speakers(let left):
      let known = Set(data.speakers)
      if let missing = left.first(where: { !known.contains($0) }) {
        let list = known.sorted().map(String.init).joined(separator: ", ")
        throw FileError(
          data.name,
          "data.validate_speakers: no training sample of speaker \(missing); "
            + (list.isEmpty ? "these data name no speakers" : "there are \(list)"))
      }
      let isLeft = Set(left)
      let inside = data.labels.indices.filter { !isLeft.contains(data.speakers[$0]) }
      guard !inside.isEmpty else {
        throw FileError(data.name, "data.validate_speakers takes all samples: none left to train")
      }
      return (
        data.selecting(inside),
        data.selecting(data.labels.indices.filter { isLeft.contains(data.speakers[$0]) })
      )
    }
  }
}

extension SpikeDataSet {
  /// Indices of the samples in so many parts, ascending: class by class dealt out in random order,
  /// so that sizes, of classes too, differ by one at most.
  /// - Throws: `FileError` when there are more parts than samples.
  func folds(_ count: Int, seed: Int) throws -> [[Int]] {
    guard count >= 2, count <= self.count else {
      throw FileError(
        name,
        "data.validate_fold: \(count) folds of \(self.count) training samples; allowed are "
          + "2 to \(self.count)")
    }
    var random = Random(seed: seed, "validation split")
    let classes =
      targets != nil
      ? labels.indices.shuffled(using: &random)
      : classNames.indices.flatMap { label in
        labels.indices.filter { labels[$0] == label }.shuffled(using: &random)
      }
    var parts = Array(repeating: [Int](), count: count)
    for (place, sample) in classes.enumerated() { parts[place % count].append(sample) }
    return parts.map { $0.sorted() }
  }

  /// The first `count` samples (all for nil), class by class as they come.
  /// - Throws: `FileError` when there are fewer.
  public func taking(_ count: Int?, key: String) throws -> SpikeDataSet {
    guard let count, count != self.count else { return self }
    guard count <= self.count else {
      throw FileError(name, "\(key) = \(count), but the file has \(self.count) samples")
    }
    return selecting(Array(0..<count))
  }
}
