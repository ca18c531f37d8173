// SPDX-License-Identifier: MIT

import EventPropCore
@testable import SpikeData
import Testing

/// Parts of the training samples for cross-validation.
@Suite struct FoldTests {
  func data(_ counts: [Int]) -> SpikeDataSet {
    var data = SpikeDataSet(
      name: "d", unitCount: 1000, classNames: counts.indices.map { "\($0)" })
    for (label, count) in counts.enumerated() {
      for _ in 0..<count {
        // Every sample is known by its spike.
        data.append(SpikeTrain(times: [Double(data.count)], units: [0]), label: label)
      }
    }
    return data
  }

  @Test(arguments: [2, 3, 5, 20]) func partsAreAllAndAlike(count: Int) throws {
    let whole = data([7, 11, 2])
    var seen: [Double] = []
    for fold in 1...count {
      let (train, left) = try ValidationSplit.fold(fold, of: count).apply(to: whole, seed: 3)
      #expect(train.count + left.count == 20)
      #expect(Set(train.times).isDisjoint(with: left.times))
      #expect(train.times == train.times.sorted())
      #expect((20 / count...(20 + count - 1) / count).contains(left.count))
      for label in 0..<3 {
        let all = whole.labels.count { $0 == label }
        let own = left.labels.count { $0 == label }
        #expect((all / count...(all + count - 1) / count).contains(own))
      }
      seen += left.times
    }
    #expect(seen.sorted() == whole.times)
    let again = try ValidationSplit.fold(1, of: count).apply(to: whole, seed: 3)
    let other = try ValidationSplit.fold(1, of: count).apply(to: whole, seed: 4)
    #expect(
      try ValidationSplit.fold(1, of: count).apply(to: whole, seed: 3).1.times
        == again.1.times)
    #expect(other.1.times != again.1.times || count == 20)
  }

  @Test func moreThanThereAreSamples() {
    let error = #expect(throws: FileError.self) {
      try ValidationSplit.fold(1, of: 21).apply(to: data([20]), seed: 1)
    }
    #expect("\(error!)".contains("21 folds of 20 training samples; allowed are 2 to 20"))
  }
}
