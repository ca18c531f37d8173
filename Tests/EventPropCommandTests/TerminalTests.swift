// SPDX-License-Identifier: MIT

import Foundation
import Support
import Terminal
import Testing

/// The workbench on a pseudo-terminal: it starts, answers keys, survives resizing, and gives the
/// terminal back however it ends.
@Suite(.serialized) struct TerminalTests {
  let scratch = ScratchDirectory()

  /// What a locale says of the terminal's characters.
  @Test(
    arguments: [
      ([:], nil, true), (["LANG": "C"], "ANSI_X3.4-1968", true),
      (["LANG": "de_DE.UTF-8"], "UTF-8", true), (["LANG": "de_DE.UTF-8"], nil, true),
      (["LANG": "de_DE.utf8@euro"], nil, true), (["LANG": "de_DE"], "ISO-8859-1", false),
      (["LC_ALL": "", "LANG": "ja_JP.EUC-JP"], nil, false),
      (["LC_ALL": "C.UTF-8", "LANG": "ja_JP.EUC-JP"], nil, true),
    ] as [([String: String], String?, Bool)])
  func charactersFollowTheLocale(_ environment: [String: String], _ codeset: String?, _ so: Bool) {
    #expect(TerminalCharacters.isUnicode(environment, codeset: codeset) == so)
  }

  /// Where the locale names another character set, no byte beyond ASCII is sent.
  @Test func plainCharactersForOtherSets() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--out", "run", "--threads", "1"], folder: scratch.path,
      environment: ["LC_ALL": "de_DE.ISO-8859-1"])
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    for key in "2345678?" {
      terminal.send("\(key)")
      usleep(50_000)
    }
    #expect(terminal.wait(for: "search"))
    #expect(terminal.seen.unicodeScalars.allSatisfy { $0.value < 128 })
    terminal.send("\u{1B}")
    kill(terminal.process.processIdentifier, SIGTERM)
    #expect(terminal.waitForEnd())
  }

  @Test func startsAnswersKeysAndLeaves() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--out", "run", "--threads", "1"], folder: scratch.path)
    let before = terminal.modes
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    #expect(terminal.modes != before)
    terminal.send(" ")
    #expect(terminal.wait(for: "PAUSED"))
    for (key, text) in [
      ("2", "by index"), ("3", "w = 1"), ("4", "created"), ("5", "silent: no spike"),
      ("6", "test accuracy"), ("7", "w(t)"), ("8", "commands"),
      ("?", "search"),
    ] {
      terminal.forget()
      terminal.send(key)
      #expect(terminal.wait(for: text), "\(key)")
    }
    terminal.send("\u{1B}")
    usleep(200_000)
    terminal.send("1x")
    #expect(terminal.wait(for: "wrote"))
    terminal.send("q")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 0)
    #expect(terminal.modes == before)
    let figures = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run/figures"))
    #expect(figures.contains { $0.hasSuffix(".svg") } && figures.contains { $0.hasSuffix(".csv") })
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("run/checkpoints"))
    #expect(!checkpoints.isEmpty)
  }

  @Test(arguments: [
    SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGABRT, SIGSEGV, SIGQUIT, SIGALRM, SIGUSR2,
    SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSYS, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, 34, 64,
  ])
  func signalsGiveTheTerminalBack(signal: Int32) throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--ephemeral", "--threads", "1"], folder: scratch.path,
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    let before = terminal.modes
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    kill(terminal.process.processIdentifier, signal)
    #expect(terminal.waitForEnd())
    #expect(terminal.modes == before)
    let isOrderly = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU].contains(signal)
    #expect(terminal.process.terminationStatus == (isOrderly ? 128 + signal : signal))
    terminal.drain()
    // Pastes are text again, and the shell's screen is back.
    let end = terminal.seen.suffix(300)
    #expect(end.contains("\u{1B}[?2004l") && end.contains("\u{1B}[?1049l"))
  }

  /// Thousands of keys are waiting, each of which writes files: a signal does not wait for them.
  @Test func signalsDoNotWaitForKeys() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-sum", "--out", "run", "--threads", "1"], folder: scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    terminal.send(String(repeating: "x", count: 4000))
    kill(terminal.process.processIdentifier, SIGTERM)
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 128 + SIGTERM)
    let figures = try? FileManager.default.contentsOfDirectory(atPath: scratch.file("run/figures"))
    #expect(figures?.count ?? 0 < 500)
  }

  /// Data that take minutes to make: a signal ends the program meanwhile, with and without a
  /// screen.
  @Test func signalsDoNotWaitForData() throws {
    let data = ["--set", "data.train=60000", "--ephemeral"]
    let terminal = try PseudoTerminal(["open", "spoken-digits"] + data, folder: scratch.path)
    let before = terminal.modes
    try terminal.process.run()
    #expect(terminal.wait(for: "starting"))
    kill(terminal.process.processIdentifier, SIGTERM)
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 128 + SIGTERM && terminal.modes == before)
    let commands = CommandTests()
    let process = try commands.start(["train", "spoken-digits", "--set", "data.train=60000"])
    usleep(300_000)
    kill(process.processIdentifier, SIGTERM)
    commands.finish(process)
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(!FileManager.default.fileExists(atPath: commands.scratch.file("runs")))
  }

  /// What is pasted is not typed.
  @Test func pastesAreNotKeys() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--ephemeral", "--threads", "1"], folder: scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "\u{1B}[?2004h") && terminal.wait(for: "samples/s"))
    terminal.send("\u{1B}[200~Dear colleague, Dy Ry qy\n\u{1B}[201~")
    #expect(terminal.wait(for: "pasted text is not taken for keys"))
    terminal.forget()
    terminal.send("8")
    #expect(terminal.wait(for: "none yet"))
    terminal.send(":\u{1B}[200~loss max\nq\u{1B}[201~")
    #expect(terminal.wait(for: ":loss max_"))
    terminal.send("\r")
    #expect(terminal.wait(for: "loss max"))
    terminal.send("qy")
    #expect(terminal.waitForEnd())
  }

  /// The last checkpoint cannot be written: that is asked about, said again at the end, and the
  /// status is 1.
  @Test func leavingOnAFullDiskAsks() throws {
    let terminal = try PseudoTerminal([], folder: scratch.path)
    terminal.process.executableURL = URL(fileURLWithPath: "/bin/bash")
    terminal.process.arguments = [
      "-c",
      "ulimit -f 64; exec \(CommandTests.program) open yin-yang-sum --out run --threads 1 --set data.train=320 "
        + "--set data.test=10 --set hidden.0.size=8000 --set training.checkpoint.every=100000 "
        + "--set training.epochs=1000000",
    ]
    try terminal.process.run()
    // Weights are beyond the limit; metrics.csv is not for a hundred epochs.
    // What is drawn anew are single digits; the run's files tell.
    let isBegun = terminal.wait {
      let rows = try? String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8)
      return rows?.split(separator: "\n").count ?? 0 > 2
    }
    try #require(isBegun)
    terminal.send("q")
    try #require(terminal.wait(for: "Leave with a checkpoint?"))
    terminal.send("y")
    try #require(terminal.wait(for: "y leaves and loses"))
    // Any other key stays.
    terminal.send("n")
    try #require(terminal.wait(for: "nothing was done"))
    terminal.forget()
    terminal.send("q")
    try #require(terminal.wait(for: "Leave with a checkpoint?"))
    terminal.send("y")
    try #require(terminal.wait(for: "y leaves and loses"))
    terminal.send("y")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 1)
  }

  /// A run in training is refused to a second process, which may look on.
  @Test func runsInUseAreWatched() throws {
    let commands = CommandTests()
    let process = try commands.start(
      [
        "train", "yin-yang-sum", "--out", "run", "--set", "data.train=200", "--set", "data.test=50",
        "--epochs", "100000",
      ])
    defer {
      kill(process.processIdentifier, SIGTERM)
      commands.finish(process)
    }
    for _ in 0..<2000 {
      if FileManager.default.fileExists(atPath: commands.scratch.file("run/checkpoints/2")) {
        break
      }
      usleep(5000)
    }
    let second = try commands.run("train", "--resume", "run")
    #expect(second.status == 1)
    let number = "is being trained by process \(process.processIdentifier)"
    #expect(second.text.contains(number) && second.text.contains("eventprop watch run"))
    #expect(try commands.run("open", "run").text.contains(number))
    let terminal = try PseudoTerminal(["open", "--watch", "run"], folder: commands.scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "WATCHING"))
    terminal.send("l")
    #expect(terminal.wait(for: "trained elsewhere"))
    terminal.send("q")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 0 && process.isRunning)
  }

  /// A folder of runs: one is chosen and looked at, then two together.
  @Test func runsAreChosenFrom() throws {
    let commands = CommandTests()
    for name in ["a", "b"] {
      let made = try commands.run(
        "train", "yin-yang-sum", "--out", "all/\(name)", "--set", "data.train=64", "--set",
        "data.test=16", "--set", "hidden.0.size=12", "--epochs", "1")
      #expect(made.status == 0, "\(made.text)")
    }
    let terminal = try PseudoTerminal(["open", "all"], folder: commands.scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "runs in all: 2"))
    terminal.send("\r")
    #expect(terminal.wait(for: "FINISHED"))
    terminal.send("q")
    #expect(terminal.wait(for: "runs in all: 2"))
    terminal.send("  \r")
    #expect(terminal.wait(for: "FINISHED"))
    terminal.send("q")
    #expect(terminal.wait(for: "runs in all: 2"))
    terminal.send("q")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 0)
  }

  /// `watch` is the door to that: it follows, writes nothing into the run, and says when nobody
  /// trains it.
  @Test func watchingWritesNothing() throws {
    let commands = CommandTests()
    let scratch = commands.scratch
    let arguments = [
      "yin-yang-sum", "--out", "run", "--set", "data.train=200", "--set", "data.test=50",
    ]
    func files() throws -> [String: Int] {
      var sizes: [String: Int] = [:]
      for name in try FileManager.default.subpathsOfDirectory(atPath: scratch.file("run")) {
        let attributes = try FileManager.default.attributesOfItem(
          atPath: scratch.file("run/" + name))
        sizes[name] = attributes[.size] as? Int
      }
      return sizes
    }
    let first = try commands.run(["train"] + arguments + ["--epochs", "2"])
    try #require(first.status == 0, "\(first.text)")
    let before = try files()
    let terminal = try PseudoTerminal(["watch", "./run/"], folder: scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "no process of this machine trains this run now"))
    #expect(terminal.wait(for: "FINISHED"))
    terminal.send("x")
    #expect(terminal.wait(for: "wrote run-figures/"))
    terminal.send(":report\r")
    let isWritten = terminal.wait {
      FileManager.default.fileExists(atPath: scratch.file("run-report/metrics.csv"))
    }
    #expect(isWritten)
    #expect(try files() == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
    #expect(Set(names).isSuperset(of: ["run-figures", "run-report"]))

    // It follows when somebody goes on with it, and says when that has ended.
    terminal.forget()
    let process = try commands.start(["train", "--resume", "run", "--epochs", "100000"])
    #expect(terminal.wait(for: "WATCHING"))
    let listed = try commands.run("runs", "run")
    #expect(listed.text.contains("training (\(process.processIdentifier))"), "\(listed.text)")
    #expect(listed.text.contains("look on with: eventprop watch run"), "\(listed.text)")
    terminal.forget()
    kill(process.processIdentifier, SIGTERM)
    commands.finish(process)
    #expect(terminal.wait(for: "the training has ended"))
    #expect(terminal.wait(for: "not in training"))
    let after = try files()
    terminal.send("q")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 0)
    #expect(try files() == after)
    #expect(try commands.run("watch", "nothing").text.contains("is not the folder of a run"))
  }

  /// Ctrl-Z, or SIGTSTP from outside: the terminal is the shell's until SIGCONT; then all is drawn
  /// anew.
  @Test(arguments: [true, false]) func stopsAndContinues(byKey: Bool) throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--ephemeral", "--threads", "1"], folder: scratch.path)
    let before = terminal.modes
    try terminal.process.run()
    let id = terminal.process.processIdentifier
    #expect(terminal.wait(for: "samples/s"))
    if byKey { terminal.send("\u{1A}") } else { kill(id, SIGTSTP) }
    let isStopped = terminal.wait { terminal.state == "T" }
    #expect(isStopped, "\(terminal.signalState) \(terminal.seen.suffix(400).debugDescription)")
    #expect(terminal.modes == before)
    terminal.forget()
    kill(id, SIGCONT)
    #expect(terminal.wait(for: "samples/s"))
    #expect(terminal.modes != before)
    terminal.send(" ")
    #expect(terminal.wait(for: "PAUSED"))
    terminal.send("qy")
    #expect(terminal.waitForEnd())
    #expect(terminal.modes == before)
  }

  /// Several runs side by side, as they ended: nothing trains, keys that would train say why not.
  @Test func finishedRunsAreCompared() throws {
    let commands = CommandTests()
    for (name, loss) in [("a", "sum"), ("b", "max")] {
      let result = try commands.run(
        "train", "yin-yang-sum", "--set", "loss.kind=\(loss)", "--set", "data.train=64",
        "--set", "data.test=32", "--epochs", "2", "--out", name)
      #expect(result.status == 0, "\(result.text)")
    }
    let terminal = try PseudoTerminal(["open", "a", "b"], folder: commands.scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "lane A a: "))
    terminal.forget()
    terminal.send(" ")
    #expect(terminal.wait(for: "finished runs"))
    terminal.forget()
    terminal.send("6")
    #expect(terminal.wait(for: "b: max"))
    terminal.send("q")
    #expect(terminal.waitForEnd())
    #expect(terminal.process.terminationStatus == 0)
    let wrong = try commands.run("open", "a", "yin-yang-sum")
    #expect(wrong.status == 1)
    #expect(wrong.text.contains("yin-yang-sum: is not the folder of a run"))
  }

  @Test func aLostTerminalEndsTheProgramWithACheckpoint() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--out", "run", "--threads", "1"], folder: scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    terminal.close()
    #expect(terminal.waitForEnd())
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("run/checkpoints"))
    #expect(!checkpoints.isEmpty)
  }

  @Test func aStormOfResizesIsSurvived() throws {
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--ephemeral", "--threads", "1"], folder: scratch.path)
    let before = terminal.modes
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    for k in 0..<60 {
      var size = winsize(
        ws_row: UInt16([5, 24, 1, 60, 3][k % 5]), ws_col: UInt16([20, 80, 2, 200, 33][k % 5]),
        ws_xpixel: 0, ws_ypixel: 0)
      _ = ioctl(terminal.primary, UInt(TIOCSWINSZ), &size)
      kill(terminal.process.processIdentifier, SIGWINCH)
      terminal.send(String(k % 5 + 1))
      terminal.drain()
      usleep(3000)
    }
    var size = winsize(ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(terminal.primary, UInt(TIOCSWINSZ), &size)
    kill(terminal.process.processIdentifier, SIGWINCH)
    terminal.forget()
    terminal.send("1")
    terminal.send(" ")
    #expect(terminal.wait(for: "PAUSED"))
    terminal.send("qy")
    #expect(terminal.waitForEnd())
    #expect(terminal.modes == before)
  }

  /// Without a terminal the default command trains headless and says so.
  @Test(arguments: ["dumb", ""]) func dumbTerminalsTrainHeadless(type: String) throws {
    let terminal = try PseudoTerminal(
      ["--out", "run", "--set", "training.epochs=1", "--set", "data.train=64"],
      folder: scratch.path, environment: ["TERM": type])
    try terminal.process.run()
    #expect(terminal.waitForEnd())
    terminal.drain()
    #expect(terminal.process.terminationStatus == 0)
    #expect(terminal.seen.contains("epoch 1"))
  }
}
