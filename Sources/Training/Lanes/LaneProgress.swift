// SPDX-License-Identifier: MIT

import Experiments

/// How far a lane has come, by the evaluations at the ends of epochs.
package struct LaneProgress {
  /// The weights of an epoch, and how they did on the validation samples.
  package struct Best {
    /// Finished epochs.
    package var epoch: Int
    /// Share 0...1.
    package var accuracy: Double
    /// Mean over samples.
    package var loss: Double
    /// In the order of `Network.parameterNames`.
    package var weights: [NPYArray]

    package init(epoch: Int, accuracy: Double, loss: Double, weights: [NPYArray]) {
      (self.epoch, self.accuracy, self.loss, self.weights) = (epoch, accuracy, loss, weights)
    }

    /// By accuracy, of two alike by loss; else the earlier stays.
    func isBeaten(by evaluation: Evaluation) -> Bool {
      (evaluation.accuracy, -evaluation.loss) > (accuracy, -loss)
    }
  }

  /// Kept by `training.keep_best`; nil: nothing has been evaluated yet.
  package var best: Best?
  /// The last improvement by the rule `training.stop`: its value, and the finished epochs then;
  /// no value: none so far, counted from `epoch` on.
  package var improved: (epoch: Int, value: Double?)

  package init(since epoch: Int = 0) { improved = (epoch, nil) }
}
