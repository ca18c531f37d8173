// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Runs
@testable import Training
import EventPropCore
import Foundation
import SpikeData
import Support
import Testing

@Suite struct PresetTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Presets").path
  static let shipped = try! FileManager.default.contentsOfDirectory(atPath: folder)
    .filter { $0.hasSuffix(".toml") }.sorted()

  func message(_ text: String, _ settings: [String] = []) -> String {
    do {
      _ = try Preset(text: text, file: "p.toml", settings: settings)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: shipped) func shippedPresetOpens(name: String) throws {
    let path = Self.folder + "/" + name
    let preset = try Preset(contentsOf: path)
    #expect(!preset.lanes.isEmpty)
    let comment = PresetLibrary.comment(of: path)
    #expect(comment.count >= 2)
    #expect(comment.contains { $0.contains("Look at") }, "the comment says what to look at")
    // What is written into runs reads back to the same.
    let again = try Preset(text: preset.resolvedText, file: "resolved")
    #expect(again.resolvedText == preset.resolvedText)
    #expect(again.lanes.map(\.name) == preset.lanes.map(\.name))
    for (a, b) in zip(again.lanes, preset.lanes) {
      #expect(a.hidden == b.hidden && a.initial == b.initial && a.optimiser.equals(b.optimiser))
      #expect(a.lossKind == b.lossKind && a.shaping == b.shaping && a.schedule == b.schedule)
    }
  }

  @Test func generatedPresetsMakeATrainer() throws {
    for name in Self.shipped {
      let preset = try Preset(contentsOf: Self.folder + "/" + name)
      guard preset.data?.kind == "yin-yang" else { continue }
      let small = try Preset(
        contentsOf: Self.folder + "/" + name,
        settings: ["data.train=64", "data.test=10", "data.validate=0"])
      let trainer = try Trainer(small, data: small.loadData(), threads: 2)
      try trainer.trainBatch()
    }
  }

  @Test func errorsNameLineKeyAndWhatIsAllowed() {
    let good = tinyPreset()
    #expect(message(good) == "no error")
    #expect(
      message(good.replacingOccurrences(of: "batch = 32", with: "bach = 32"))
        .hasPrefix(
          "p.toml:22: training.bach: is not a key here; did you mean batch? Allowed are batch,"))
    #expect(
      message(good.replacingOccurrences(of: "size = 20", with: "size = \"20\""))
        == "p.toml:13: hidden.0.size: is a string (\"20\"), allowed is a whole number from 1 to 65536"
    )
    #expect(
      message(good.replacingOccurrences(of: "size = 20", with: "size = -4"))
        == "p.toml:13: hidden.0.size: is -4, allowed is a whole number from 1 to 65536")
    #expect(
      message(good.replacingOccurrences(of: "step = 0.5", with: "step = 0.7"))
        .hasPrefix("p.toml:11: simulation.step: duration 30 ms is 42.857"))
    #expect(
      message(good.replacingOccurrences(of: "kind = \"sum\"", with: "kind = \"summ\""))
        .contains("loss.kind: is \"summ\", allowed is one of \"sum\", \"avg_xentropy\", \"max\""))
    #expect(
      message(good.replacingOccurrences(of: "sd = 1.0", with: "sd = nan"))
        .contains("hidden.0.weights.sd: is nan, allowed is a number from 0 to 1e+30"))
    #expect(
      message(good.replacingOccurrences(of: "duration = 30.0", with: "duration = 1e300"))
        .contains("allowed is a number from"))
    #expect(message("name = \"x\"\n[data]\nkind = yin").hasPrefix("p.toml:3: column"))
    #expect(message("").contains("simulation.duration: is missing"))
    #expect(
      message(good.replacingOccurrences(of: "kind = \"yin-yang\"", with: "kind = \"imagenet\""))
        .contains("data.kind: is \"imagenet\", allowed is one of"))
    #expect(
      message(tinyPreset(loss: "max", extra: "[[lane]]\nname = \"a\"\nloss.shaping = \"linear\""))
        .contains("has no integral to shape"))
  }

  @Test func impossibleSizesAreRefusedBeforeMemoryIs() throws {
    let preset = try Preset(
      text: tinyPreset(hidden: "recurrent = true"), file: "p", settings: ["hidden.0.size=65536"])
    #expect(throws: FileError.self) {
      _ = try preset.problem(for: preset.lanes[0], data: preset.loadData().train)
    }
  }

  @Test func settingsOverride() throws {
    let text = tinyPreset(extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"")
    let preset = try Preset(
      text: text, file: "p",
      settings: [
        "training.epochs=7", "hidden.0.size=5", "lane.1.loss.kind=avg_xentropy",
        "training.silent={policy=\"lift\", by=0.1}", "data.augment.drop=0.5",
      ])
    #expect(preset.training.epochs == 7)
    #expect(preset.lanes[0].hidden[0].size == 5)
    #expect(preset.lanes.map(\.lossKind) == ["sum", "avg_xentropy"])
    #expect(preset.lanes[1].silent == .lift(by: 0.1))
    #expect(preset.data?.augmentation.drop == 0.5)
    #expect(message(text, ["training.epochs=x"]).hasPrefix("--set: training.epochs: is a string"))
    #expect(message(text, ["epochs"]).contains("allowed is key=value"))
    #expect(message(text, ["hidden.3.size=4"]).contains("there is nothing of that name"))
  }

  @Test func lanesOverrideOnlyWhatMayDiffer() throws {
    let preset = try Preset(
      text: tinyPreset(
        extra: """
          [[lane]]
          name = "plain"
          [[lane]]
          name = "shaped"
          loss.shaping = "exponential"
          training.optimiser.rate = 1e-4
          hidden = [{ tau_mem = 10.0 }]
          """), file: "p")
    #expect(preset.lanes[1].shaping == .exponential(scale: 1))
    #expect(preset.lanes[0].shaping == .none)
    #expect(preset.lanes[1].optimiser.rate == 1e-4)
    #expect(preset.lanes[1].hidden[0].tauMem == 10)
    #expect(preset.lanes[1].hidden[0].size == 20)
    func lane(_ text: String) -> String { message(tinyPreset(extra: "[[lane]]\n" + text)) }
    #expect(lane("name = \"a\"\nseed = 4").contains("lane.0.seed: a lane cannot override this"))
    #expect(lane("name = \"a\"\ntraining.batch = 4").contains("lanes share this"))
    #expect(lane("name = \"a\"\nhidden = [{ size = 4 }]").contains("same weights"))
    #expect(lane("name = \"a\"\nloss.kynd = \"max\"").contains("p.toml:27: loss.kynd"))
    #expect(lane("name = \"../x\"").contains("lane.0.name"))
    #expect(lane("name = \"a\"\n[[lane]]\nname = \"a\"").contains("two lanes are called \"a\""))
  }

  /// Of the preset or of a lane; what is left out has its default, what is written reads back.
  @Test func keepingSpikes() throws {
    #expect(try Preset(text: tinyPreset(), file: "p").lanes[0].keepSpikes == nil)
    let preset = try Preset(
      text: tinyPreset(
        training: "keep_spikes = { probe = 20 }",
        extra: """
          [[lane]]
          name = "a"
          [[lane]]
          name = "b"
          training.keep_spikes = { per_neuron = 3, slope = 0 }
          """), file: "p")
    let wanted = [
      KeepSpikes(perNeuron: 1, probe: 20, slope: 0.1),
      KeepSpikes(perNeuron: 3, probe: 20, slope: 0),
    ]
    #expect(preset.lanes.map(\.keepSpikes) == wanted)
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.lanes.map(\.keepSpikes) == wanted)
    #expect(again.resolvedText == preset.resolvedText)
    let plain = try Preset(text: tinyPreset(), file: "p").resolvedText
    #expect(!plain.contains("keep_spikes"))
    func refusal(_ value: String) -> String {
      message(tinyPreset(), ["training.keep_spikes=\(value)"])
    }
    let counts = "allowed is a whole number from 1 to 1000000"
    #expect(
      refusal("{ per_neuron = 0 }") == "--set: training.keep_spikes.per_neuron: is 0, \(counts)")
    #expect(refusal("{ probe = 0 }") == "--set: training.keep_spikes.probe: is 0, \(counts)")
    #expect(refusal("{ probe = 2.5 }").hasSuffix("probe: is a number (2.5), \(counts)"))
    #expect(
      refusal("{ slope = -1 }")
        == "--set: training.keep_spikes.slope: is -1.0, allowed is a number of at least 0")
    #expect(refusal("{ neurons = 1 }").contains("Allowed are per_neuron, probe, slope"))
    #expect(refusal("3").contains("training.keep_spikes: is an integer (3), allowed is a table"))
  }

  /// Text that toml++ would not survive is refused with its line; all that TOML allows is read.
  @Test func tomlIsGuarded() throws {
    func message(_ text: String) -> String {
      do {
        _ = try ConfigTable(parsing: text, file: "t.toml")
        return "ok"
      } catch {
        return "\(error)"
      }
    }
    #expect(message("a = 1\n[\n") == "t.toml:2: [ without the name of a table")
    #expect(message("[[\n").contains("t.toml:1: [ without") && message("[ ]").contains("t.toml:1"))
    #expect(message("a = [ 1, }\n").contains("t.toml:1: } within an array"))
    #expect(message("a = [ \u{2028} ]").contains("t.toml:1"))
    #expect(message("a = \"x\\u0000y\"").contains("\\u0000 in a string"))
    #expect(
      message("[" + Array(repeating: "a", count: 99).joined(separator: ".") + "]").contains("parts")
    )
    #expect(message("a = 1\u{0}").contains("zero byte"))
    let valid = """
      \u{FEFF}# \u{fc}ber \u{2028} Alles
      a = [ # first
        [1, 2], [ "]", '[' ],
        { x = 1.5e-3, "y z" = [ {} ] },
      ]\r
      "quoted key" = "ein \\"wort\\" \\u00fc \u{fc}"
      'literal.key' = 'c:\\path\\'
      b.c.d = 1979-05-27T07:32:00.999-07:00
      long = \"\"\"
      [ not a table
      a "" quote"\"\"\"
      raw = \'\'\'
      [[ nor this ''\'\'\'
      [ table . "inner [x]" ] # comment
      x = inf
      [[list]]
      y = +1_000
      [[ list ]]
      z = 0xFF
      """
    #expect(message(valid) == "ok")
  }

  /// Files may list the same classes in another order: they are matched by name, or refused.
  @Test func classesAreMatchedByName() throws {
    func set(_ name: String, _ classes: [String], _ labels: [Int]) -> SpikeDataSet {
      var data = SpikeDataSet(name: name, unitCount: 3, classNames: classes)
      for label in labels { data.append(SpikeTrain(times: [1], units: [0]), label: label) }
      return data
    }
    let train = set("train.h5", ["null", "eins", "zwei"], [0, 1, 2])
    func alike(_ train: SpikeDataSet, _ test: SpikeDataSet) throws -> LoadedData {
      var loaded = LoadedData(train: train, test: test)
      try loaded.nameClassesAlike()
      return loaded
    }
    let turned = try alike(train, set("test.h5", ["zwei", "null", "eins"], [0, 1, 2, 0]))
    #expect(turned.test.labels == [2, 0, 1, 2] && turned.test.classNames == train.classNames)
    #expect(turned.train.labels == [0, 1, 2])
    // Numbered classes, of which one file has seen fewer.
    let fewer = try alike(
      set("a", ["0", "1"], [0, 1]), set("b", ["0", "1", "2"], [2]))
    #expect(fewer.train.classNames == ["0", "1", "2"] && fewer.test.labels == [2])
    #expect(throws: FileError("test.h5", "has classes that train.h5 lacks: drei")) {
      try alike(train, set("test.h5", ["null", "drei"], [0]))
    }
  }

  /// Spikes at or beyond the end of the trial are counted and said; where all are, nothing is
  /// trained.
  @Test func spikesBeyondTheTrialAreSaid() throws {
    var data = SpikeDataSet(name: "late.h5", unitCount: 1, classNames: ["0"])
    data.append(SpikeTrain(times: [1, 29, 30, 31], units: [0, 0, 0, 0]), label: 0)
    #expect(
      try data.noteBeyond(30)
        == "late.h5: 50 % of the input spikes lie at or beyond simulation.duration = 30 ms and are left out"
    )
    #expect(try data.noteBeyond(32) == nil)
    let error = #expect(throws: FileError.self) { try data.noteBeyond(1) }
    #expect(error?.message.contains("all 4 input spikes lie at or beyond") == true)
    // Speakers that only the test set names: nobody is called unseen.
    var spoken = data
    spoken.append(SpikeTrain(times: [1], units: [0]), label: 0, speaker: 3)
    #expect(DataSplits(train: data, validate: data, test: spoken).unseenSpeakers == [])
  }

  /// Memory that is not there is said before it is asked for.
  @Test func memoryIsBoundedBeforeItIsTaken() throws {
    let preset = try Preset(
      text: tinyPreset(),
      file: "tiny",
      settings: [
        "simulation.duration=1e6", "simulation.step=1", "loss.kind=avg_xentropy",
        "training.batch=65536",
      ])
    let data = try preset.loadData()
    let problem = try preset.problem(for: preset.lanes[0], data: data.train)
    let need = MemoryNeed([(problem, .grid, 2)], batch: 65_536, shards: 4)
    // A million steps: three lists of spikes and 16 read-out values a step, 4 bytes each.
    #expect(need.trials == 4 * 1e6 * Double(3 + 16) * 65_536)
    let error = #expect(throws: FileError.self) { try need.check(preset, batch: 65_536) }
    #expect(
      error.map { "\($0)".contains("needs 498") && "\($0)".contains("lower training.batch") }
        == true, "\(String(describing: error))")
    // The batch of a handful of samples is a handful.
    let few = try Preset(text: tinyPreset(), file: "tiny", settings: ["training.batch=65536"])
    let trainer = try Trainer(few, data: few.loadData(), threads: 1)
    #expect(trainer.capacity == trainer.data.train.count)
  }

  /// Line ends of Windows and of old Macs, in every file that is read line by line.
  @Test(arguments: ["\r\n", "\r"]) func otherLineEndsAreRead(end: String) throws {
    let scratch = ScratchDirectory()
    func written(_ text: String, _ name: String) -> String {
      scratch.write(text.replacingOccurrences(of: "\n", with: end), to: name)
    }
    let preset = written("# First.\n# Second.\nname = 3\n", "p.toml")
    #expect(PresetLibrary.comment(of: preset) == ["First.", "Second."])
    if end == "\r\n" {
      let error = #expect(throws: FileError.self) { try Preset(contentsOf: preset) }
      #expect("\(error!)".contains("p.toml:3: name"))
    }
    let log = written(
      "{\"command\": \"start\", \"epoch\": 0, \"batch\": 0}\n{\"command\": \"rate 0.1\", \"lane\": \"a\", \"epoch\": 1, \"batch\": 2}\n{\"command\": \"stop\", \"epoch\": 3, \"batch\": 4}\n",
      "c.jsonl")
    let session = try LoggedSession(contentsOf: log)
    #expect(
      session.commands.map(\.text) == ["rate 0.1"] && session.end == .init(epoch: 3, batch: 4))
  }

  /// Constants of neurons and delays as tables: what they are drawn from, bounds, training.
  @Test func drawnAndTrained() throws {
    let text = tinyPreset()
    let preset = try Preset(
      text: text, file: "p",
      settings: [
        "hidden.0.neuron=alif", "hidden.0.tau_mem={ normal = [20, 5], min = 3 }",
        "hidden.0.tau_adapt={ init = { gamma = [3, 30] }, max = 400, train = true }",
        "hidden.0.threshold={ value = 0.9, train = true, rate = 0.001 }",
        "hidden.0.delays={ init = { uniform = [0, 9] }, max = 12, train = true, form = \"axonal\" }",
        "output.tau_syn={ values = [6], train = true }", "output.delays=2.5",
      ])
    let (hidden, output) = (preset.lanes[0].hidden[0], preset.lanes[0].output)
    #expect(
      hidden.learning[.tauMem] == Learning(rate: nil, range: 3...1e6, initial: .normal(20, 5)))
    #expect(
      hidden.learning[.tauAdapt] == Learning(rate: 0.01, range: 1...400, initial: .gamma(3, 30)))
    #expect(hidden.learning[.threshold]?.rate == 0.001 && hidden.threshold[0] == 0.9)
    #expect(hidden.kept == [.tauMem, .threshold, .tauAdapt])
    #expect(
      hidden.delays == Delays(.axonal, longest: 12, initial: .uniform(0, 9), rate: 0.1))
    #expect(output.tauSyn[0] == 6 && output.learning[.tauSyn]?.isTrained == true)
    #expect(output.delays == Delays(longest: 2.5, initial: .uniform(2.5, 2.5)))
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.lanes[0].hidden == preset.lanes[0].hidden)
    #expect(again.lanes[0].output == preset.lanes[0].output)
    #expect(again.resolvedText == preset.resolvedText)
    for (setting, words) in [
      ("hidden.0.tau_mem={ normal = [20] }", "two numbers: mean and standard deviation"),
      ("hidden.0.tau_mem={ normal = [20, 5], uniform = [1, 2] }", "beside normal"),
      ("hidden.0.tau_mem={ min = 3 }", "nothing is drawn or trained"),
      ("hidden.0.tau_mem={ normal = [20, 5], mim = 3 }", "did you mean min"),
      ("hidden.0.delays={ init = { uniform = [0, 9] }, form = \"dentritic\" }", "dendritic"),
      ("hidden.0.delays={ train = true }", "hidden.0.delays.max: is missing"),
      ("hidden.0.delays=-1", "above 0"), ("hidden.0.recurrent_delays=3", "not recurrent"),
      ("hidden.0.adaptation=-1", "at least 0"),
    ] {
      let found = message(text, ["hidden.0.neuron=alif", "hidden.0.recurrent=false", setting])
      #expect(found.contains(words), "\(setting): \(found)")
    }
    // A constant that another neuron has says which.
    let other = message(text, ["hidden.0.adaptation=0.2"])
    #expect(other.contains("no constant of neuron = \"lif\"; neuron = \"alif\" has it"), "\(other)")
  }

  /// A vector of a layer is a number or a list.
  @Test func vectorsOfALayer() throws {
    let text = tinyPreset()
    let sizes = try Preset(text: text, file: "p").lanes[0].hidden[0].size
    let list = "[" + (0..<sizes).map { "\(10 + $0)" }.joined(separator: ", ") + "]"
    let preset = try Preset(
      text: text, file: "p",
      settings: ["simulation.solver=exact", "hidden.0.tau_mem=\(list)"])
    #expect(preset.lanes[0].hidden[0].tauMem.values(2) == [10, 11])
    #expect(
      try Preset(text: preset.resolvedText, file: "again").lanes[0].hidden == preset.lanes[0].hidden
    )
    #expect(message(text, ["hidden.0.tau_mem=\(list)"]) == "no error")
    let short = message(text, ["simulation.solver=exact", "hidden.0.tau_syn=[1, 2]"])
    #expect(short.contains("has 2 values; allowed is a number, or a list of \(sizes)"), "\(short)")
    let negative = message(text, ["simulation.solver=exact", "hidden.0.threshold=[-1]"])
    #expect(negative.contains("hidden.0.threshold"), "\(negative)")
    let unknown = message(text, ["hidden.0.neuron=adex"])
    #expect(unknown.contains("lif"), "\(unknown)")
    let outputs = try Preset(
      text: text, file: "p", settings: ["simulation.solver=exact", "output.tau_mem=[10, 20]"])
    #expect(throws: FileError.self) {
      _ = try outputs.problem(for: outputs.lanes[0], data: outputs.loadData().train)
    }
  }
}
