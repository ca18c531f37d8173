// SPDX-License-Identifier: MIT

import Diagnosis

/// What a lane knows about its own health.
package struct LaneDiagnosis {
  /// The last observed update.
  package var ledger: Ledger?
  /// The probe's spikes before and after it.
  package var step: StepSpikes?
  /// The weights before and after it; nil unless someone has asked.
  package var stepWeights: StepWeights?
  /// |dw| / |w| of that update, per array of parameters.
  package var updateRatios: [Double] = []
  /// Over all observed updates, and over those of the current epoch.
  package var totals = LedgerTotals()
  package var epoch = LedgerTotals()
  /// Spikes at risk by the last update whose margins were looked at.
  package var atRisk: [SpikeAtRisk] = []
  package var risks = RiskRecord()
  package var watch = AlarmWatch()
  /// Alarms of the last epoch.
  package var alarms: [Alarm] = []
  /// All alarms so far.
  package var records: [AlarmRecord] = []
  /// Per hidden layer and neuron: the epoch since which it has been dead; nil while it spikes.
  package var deadSince: [[Int?]] = []

  /// Takes note of an epoch's dead neurons.
  mutating func note(dead: [[Int]], sizes: [Int], epoch: Int) {
    if deadSince.isEmpty { deadSince = sizes.map { Array(repeating: nil, count: $0) } }
    for (layer, neurons) in dead.enumerated() {
      let set = Set(neurons)
      for neuron in 0..<sizes[layer] {
        deadSince[layer][neuron] = set.contains(neuron) ? deadSince[layer][neuron] ?? epoch : nil
      }
    }
  }
}

extension LedgerTotals {
  /// As a checkpoint keeps them.
  package var numbers: [Double] {
    [
      Double(updates), Double(created), Double(deleted), Double(moved), Double(opposed), predicted,
      actual, byCreationAndDeletion, Double(priced), squaredError ?? -1,
    ]
  }

  package init?(numbers: [Double]) {
    // Checkpoints of before have no more than eight.
    guard numbers.count == 8 || numbers.count == 10,
      numbers.prefix(5).allSatisfy({ $0 >= 0 && $0 < 1e15 }),
      numbers.count == 8 || numbers[8] < 1e15
    else {
      return nil
    }
    self.init()
    updates = Int(numbers[0])
    created = Int(numbers[1])
    deleted = Int(numbers[2])
    moved = Int(numbers[3])
    opposed = Int(numbers[4])
    (predicted, actual, byCreationAndDeletion) = (numbers[5], numbers[6], numbers[7])
    (priced, squaredError) =
      numbers.count == 10 ? (Int(max(numbers[8], 0)), numbers[9] >= 0 ? numbers[9] : nil) : (0, nil)
  }
}
