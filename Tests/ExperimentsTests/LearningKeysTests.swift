// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import SpikeData
import Support
import Testing

/// The keys of optimisers, clipping, schedule, augmentation and dropout.
@Suite struct LearningKeysTests {
  private func message(_ settings: String..., extra: String = "") -> String {
    do {
      _ = try Preset(text: tinyPreset(extra: extra), file: "p.toml", settings: settings)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private func preset(_ settings: String..., extra: String = "") throws -> Preset {
    try Preset(text: tinyPreset(extra: extra), file: "p.toml", settings: settings)
  }

  private func optimiser(_ value: String) throws -> any Optimiser {
    try preset("training.optimiser=\(value)").lanes[0].optimiser
  }

  @Test func optimisersByKind() throws {
    #expect(try optimiser("{}").equals(Adam(rate: 1e-3)))
    #expect(try optimiser("{ kind = \"adam\", beta1 = 0.5 }").equals(Adam(rate: 1e-3, beta1: 0.5)))
    #expect(try optimiser("{ kind = \"adamw\" }").equals(AdamW(Adam(rate: 1e-3))))
    #expect(
      try optimiser("{ kind = \"adamw\", rate = 2, epsilon = 1, weight_decay = 0.5 }").equals(
        AdamW(Adam(rate: 2, epsilon: 1), weightDecay: 0.5)))
    #expect(try optimiser("{ kind = \"sgd\" }").equals(SGD(rate: 1e-3)))
    #expect(
      try optimiser("{ kind = \"sgd\", momentum = 0.9, nesterov = true, weight_decay = 0.1 }")
        .equals(SGD(rate: 1e-3, momentum: 0.9, nesterov: true, weightDecay: 0.1)))
  }

  @Test func errorsOfOptimisers() {
    func refusal(_ value: String) -> String { message("training.optimiser=\(value)") }
    #expect(
      refusal("{ kind = \"rmsprop\" }")
        == "--set: training.optimiser.kind: is \"rmsprop\", allowed is one of \"adam\", \"adamw\", \"sgd\""
    )
    #expect(
      refusal("{ momentum = 0.9 }")
        == "--set: training.optimiser.momentum: is a key of \"sgd\", and kind is \"adam\"; allowed are kind, rate, beta1, beta2, epsilon"
    )
    #expect(
      refusal("{ kind = \"sgd\", beta1 = 0.9 }").contains(
        "beta1: is a key of \"adam\", \"adamw\", and kind is \"sgd\"; allowed are kind, rate, momentum"
      )
    )
    #expect(refusal("{ kind = \"sgd\", momentum = 1 }").hasSuffix("a number from 0 to 0.999999"))
    #expect(refusal("{ kind = \"sgd\", momentum = true }").contains("momentum: is a boolean"))
    #expect(refusal("{ kind = \"sgd\", nesterov = 1 }").hasSuffix("allowed is true or false"))
    #expect(
      refusal("{ kind = \"sgd\", nesterov = true }").contains(
        "nesterov: is true without momentum; allowed is"))
    #expect(refusal("{ kind = \"adamw\", weight_decay = -1 }").contains("weight_decay: is -1.0"))
    #expect(
      refusal("{ rate = 1e39 }").contains("rate: is 1e+39, allowed is a number from 0 to 1000"))
    #expect(refusal("{ raet = 1 }").contains("did you mean rate?"))
    let text = tinyPreset().replacingOccurrences(of: "rate = 5e-3", with: "nesterov = true")
    #expect(
      throws: FileError.self, performing: { try Preset(text: text, file: "p.toml") })
  }

  /// A lane may change the kind alone; what the shared kind's keys say is then not for it, unless
  /// its own kind has them just so. What is written reads back to the same.
  @Test func lanesMayHaveOptimisersOfTheirOwn() throws {
    let lanes = """
      [[lane]]
      name = "a"
      [[lane]]
      name = "b"
      training.optimiser.kind = "sgd"
      [[lane]]
      name = "c"
      training.optimiser = { kind = "sgd", momentum = 0.9 }
      [[lane]]
      name = "d"
      training.optimiser.kind = "adam"
      """
    let preset = try preset(
      "training.optimiser={ kind = \"adamw\", rate = 0.1, beta1 = 0.5, weight_decay = 0.3 }",
      extra: lanes)
    let wanted: [any Optimiser] = [
      AdamW(Adam(rate: 0.1, beta1: 0.5), weightDecay: 0.3), SGD(rate: 0.1),
      SGD(rate: 0.1, momentum: 0.9), Adam(rate: 0.1, beta1: 0.5),
    ]
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.resolvedText == preset.resolvedText)
    for read in [preset, again] {
      for (lane, optimiser) in zip(read.lanes, wanted) {
        #expect(lane.optimiser.equals(optimiser), "\(lane.name)")
      }
    }
    let wrong = message(
      extra: "[[lane]]\nname = \"a\"\ntraining.optimiser.momentum = 0.9")
    #expect(
      wrong.hasPrefix("p.toml:27: training.optimiser.momentum: is a key of \"sgd\""), "\(wrong)")
    let both = message(
      extra: "[[lane]]\nname = \"a\"\ntraining.optimiser = { kind = \"sgd\", beta2 = 0.9 }")
    #expect(both.hasPrefix("p.toml:27: training.optimiser.beta2: is a key of"), "\(both)")
    #expect(
      try self.preset(extra: "[[lane]]\nname = \"a\"\ntraining.clip_value = 0.5").lanes[0]
        .clipValue == 0.5)
  }

  @Test func scheduleAndClipping() throws {
    let read = try preset(
      "training.schedule={ fast = 0.8, slow = 0.85, factor = 0.25, ease_from = 1e-6, ease_in = 1.05 }",
      "training.clip_value=0.5"
    ).lanes[0]
    #expect(
      read.schedule
        == ScheduleOptions(easeIn: 1.05, easeFrom: 1e-6, halving: 0.25, fast: 0.8, slow: 0.85))
    #expect(read.clipValue == 0.5 && read.clip == 0)
    #expect(try preset().lanes[0].schedule == ScheduleOptions())
    #expect(
      message("training.schedule.slow=0.7")
        == "--set: training.schedule.slow: is 0.7, allowed is a number from 0.8 to 0.999999")
    #expect(message("training.schedule.fast=1").hasSuffix("a number from 0 to 0.999999"))
    #expect(message("training.schedule.factor=0").hasSuffix("a number from 1e-06 to 1"))
    #expect(message("training.schedule.ease_from=0").hasSuffix("a number from 1e-12 to 1"))
    #expect(message("training.clip_value=-1").hasSuffix("a number of at least 0"))
    #expect(message("training.clip_value=inf").hasSuffix("a number of at least 0"))
  }

  @Test func augmentationIsBounded() throws {
    let read = try preset(
      "data.augment={ blend = 0.5, blend_added = 1, blend_to = \"common\", channel_jitter = 2, input_noise = 3 }"
    )
    let augmentation = try #require(read.data?.augmentation)
    #expect(augmentation.blendAdded == 1 && augmentation.blendTo == .common)
    #expect(augmentation.channelJitter == 2 && augmentation.noise == 3)
    #expect(augmentation.added(to: 131) == 131)
    let again = try Preset(text: read.resolvedText, file: "again")
    #expect(again.data?.augmentation == augmentation)
    for key in ["shift", "blend", "blend_added", "jitter", "channel_jitter", "drop", "input_noise"]
    {
      #expect(message("data.augment.\(key)=-1").contains("data.augment.\(key): is -1"))
      #expect(message("data.augment.\(key)=1e39").contains("data.augment.\(key): is "))
      #expect(message("data.augment.\(key)=nan").contains("data.augment.\(key): is "))
    }
    #expect(message("data.augment.dilate=[1, 1e39]").contains("allowed is a factor above 0"))
    #expect(
      message("data.augment.blend_added=1")
        == "--set: data.augment.blend_added: is 1.0 without blend; allowed is 0, or a blend above 0 with it"
    )
    #expect(message("data.augment.blend_to=\"last\"").contains("one of \"first\", \"common\""))
    #expect(message("data.rescale.units=0").hasSuffix("a number from 1e-05 to 1"))
    #expect(message("data.rescale.units=2").hasSuffix("a number from 1e-05 to 1"))
    #expect(message("data.rescale.time=1e39").hasSuffix("a number from 0.001 to 1000"))
    #expect(
      message("hidden.0.dropout=1").hasSuffix(
        "hidden.0.dropout: is 1.0, allowed is a number from 0 to 0.95"))
    #expect(try preset("hidden.0.dropout=0.2").lanes[0].hidden[0].dropout == 0.2)
  }

  /// Noise that no memory would hold is refused once the channels are known.
  @Test func endlessNoiseIsRefused() throws {
    let read = try preset(
      "data.augment.input_noise=1e4", "simulation.duration=1e6", "simulation.step=1000",
      "data.late=20")
    let data = try read.loadData()
    #expect(throws: FileError.self) { try read.problem(for: read.lanes[0], data: data.train) }
  }

  /// All splits, and what the network is made for.
  @Test func rescalingIsOfAllSplits() throws {
    let plain = try preset().loadData()
    let read = try preset("data.rescale={ units = 0.5, time = 0.25 }")
    let small = try read.loadData()
    let count = (plain.train.unitCount + 1) / 2
    for (a, b) in [
      (plain.train, small.train), (plain.test, small.test), (plain.validate, small.validate),
    ] {
      #expect(a.count == b.count && a.count > 0 && b.unitCount == count)
      #expect(a.times.map { $0 * 0.25 } == b.times)
      #expect(b.units.allSatisfy { Int($0) < count })
    }
    #expect(try read.problem(for: read.lanes[0], data: small.train).network.inputs == count)
  }
}
