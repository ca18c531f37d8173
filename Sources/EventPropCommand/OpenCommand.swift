import ArgumentParser
import Charts
import Foundation
import Terminal
import Training
import Workbench

struct OpenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "The workbench: see a preset train, change it while it does (the default command).",
    discussion: """
      Without a preset: Yin-Yang in two lanes that differ in loss shaping. `?` lists the keys. Without a terminal it
      trains headless and says so. The folder of a run goes on with it; several runs are shown side by side as they
      ended.
      """)

  @Argument(
    help: ArgumentHelp(
      "A preset by name or path, the folder of a run to go on with, or several runs to compare.",
      valueName: "preset|run"))
  var names: [String] = []

  @Option(name: .customLong("set"), help: "Override a key: training.epochs=5, hidden.0.size=100.")
  var settings: [String] = []

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Folder of the run; must not exist or be empty.")
  var out: String?

  @Option(help: "Marks that plots are made of: auto, braille, block, ascii.")
  var marks: String = "auto"

  @Option(help: "Colours: auto, 256, 16, none (NO_COLOR is heeded).")
  var color: ColorMode = .auto

  @Option(help: "Background of the terminal: dark, light.")
  var theme: Theme = .dark

  @Flag(help: "Start paused.")
  var paused = false

  @Flag(help: "Keep nothing on disk.")
  var ephemeral = false

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
    guard marks == "auto" || Marks(rawValue: marks) != nil else {
      throw ValidationError("--marks is \(marks), allowed are auto, braille, block, ascii")
    }
    guard !ephemeral || out == nil else {
      throw ValidationError("--ephemeral keeps nothing: no --out")
    }
  }

  private var preset: String? { names.first }

  func run() throws {
    StopSignal.install()
    if names.count > 1 { return try compare() }
    let (loaded, resumed) = try load()
    let place = resumed.flatMap { Checkpoint.all(in: $0).last }
    let screen: Screen
    do {
      screen = try Screen(colors: color, theme: theme)
    } catch let error as TerminalError {
      Console.error("eventprop: \(error): training headless")
      guard resumed == nil else {
        throw RunError(
          preset!, "go on without a terminal with: eventprop train --resume \(preset!)")
      }
      try trainHeadless(loaded)
      return
    }
    defer { screen.restore() }
    let (threads, out, ephemeral) = (threads, out, ephemeral)
    let engine = Engine(isPaused: paused) {
      try Trainer(loaded, data: loaded.loadData(), threads: threads)
    } resume: {
      if let place, let resumed { try $0.resume(resumed, at: place) }
    } run: { trainer in
      if ephemeral { return nil }
      if let resumed {
        return try RunDirectory(
          resuming: resumed, epoch: trainer.epoch, network: trainer.network)
      }
      return try RunDirectory(creating: out, preset: loaded, network: trainer.network)
    }
    try show(engine, on: screen)
  }

  private func show(_ source: any SnapshotSource, on screen: Screen) throws {
    let chosen = Marks(rawValue: marks) ?? (screen.isUnicode ? .braille : .ascii)
    var session = Session(engine: source, screen: screen, marks: chosen)
    let failure = session.run()
    screen.restore()
    source.stop()
    if let failure { throw RunError("eventprop", failure) }
    if !session.runPath.isEmpty { print("run \(session.runPath)") }
    if StopSignal.current != 0 { throw ExitCode(128 + StopSignal.current) }
  }

  /// Several runs as they ended.
  private func compare() throws {
    let items = try names.map { folder in
      let file = (folder as NSString).appendingPathComponent("preset.toml")
      guard FileManager.default.fileExists(atPath: file) else {
        throw RunError(folder, "is not the folder of a run; several at once must be runs")
      }
      return StillRuns.Item(
        preset: try Preset(contentsOf: file, settings: settings), folder: folder,
        place: try Checkpoint.find(in: folder, epoch: nil))
    }
    let runs = try StillRuns(items)
    let screen: Screen
    do {
      screen = try Screen(colors: color, theme: theme)
    } catch let error as TerminalError {
      throw RunError("open", "\(error); without one, eventprop figure writes files")
    }
    defer { screen.restore() }
    try show(runs, on: screen)
  }

  /// The preset, and the run folder when it was one.
  private func load() throws -> (preset: Preset, run: String?) {
    guard let preset else {
      return (
        try Preset(text: DefaultPreset.text, file: "default preset", settings: settings), nil
      )
    }
    let inRun = (preset as NSString).appendingPathComponent("preset.toml")
    if FileManager.default.fileExists(atPath: inRun) {
      return (try Preset(contentsOf: inRun, settings: settings), preset)
    }
    return (try Preset(contentsOf: PresetLibrary.path(of: preset), settings: settings), nil)
  }

  private func trainHeadless(_ preset: Preset) throws {
    let trainer = try Trainer(preset, data: preset.loadData(), threads: threads)
    let run = try RunDirectory(creating: out, preset: preset, network: trainer.network)
    try run.logBeginning(of: trainer, detail: "threads \(threads)")
    var console = Console()
    console.line("run \(run.path)")
    try HeadlessTraining(trainer: trainer, run: run).run(&console)
  }
}

extension ColorMode: ExpressibleByArgument {}
extension Theme: ExpressibleByArgument {}

/// What opens without a preset.
enum DefaultPreset {
  static let text = """
    name = "Yin-Yang: shaped against plain"
    seed = 1

    [data]
    kind = "yin-yang"
    train = 5000
    test = 1000
    early = 0.0
    late = 20.0

    [simulation]
    solver = "grid"
    duration = 30.0
    step = 0.1

    [[hidden]]
    size = 200
    weights = { mean = 1.5, sd = 0.78 }

    [output]
    weights = { mean = 0.0, sd = 0.2 }

    [loss]
    kind = "sum"

    [training]
    epochs = 200
    batch = 32
    optimiser = { rate = 5e-3 }
    schedule = { decay = 0.985 }
    checkpoint = { every = 20 }

    [[lane]]
    name = "shaped"
    loss.shaping = "exponential"

    [[lane]]
    name = "plain"
    """
}
