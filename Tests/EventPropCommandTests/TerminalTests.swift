import Foundation
import Support
import Testing

/// The workbench on a pseudo-terminal: it starts, answers keys, survives resizing, and gives the terminal back
/// however it ends.
@Suite(.serialized) struct TerminalTests {
  let scratch = ScratchDirectory()

  /// A pseudo-terminal with the program on its far side.
  final class Pseudo {
    let primary: Int32
    let secondary: Int32
    let process = Process()
    private(set) var seen = ""
    private var isOpen = true

    init(_ arguments: [String], folder: String, environment: [String: String] = [:]) throws {
      var (primary, secondary): (Int32, Int32) = (0, 0)
      var size = winsize(ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
      try #require(openpty(&primary, &secondary, nil, nil, &size) == 0)
      self.primary = primary
      self.secondary = secondary
      _ = fcntl(primary, F_SETFL, O_NONBLOCK)
      process.executableURL = URL(fileURLWithPath: CommandTests.program)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["TERM": "xterm-256color", "EVENTPROP_PRESETS": CommandTests.presets, "LANG": "C.UTF-8"]
      ) { $1 }.merging(environment) { $1 }
      let far = FileHandle(fileDescriptor: secondary, closeOnDealloc: false)
      process.standardInput = far
      process.standardOutput = far
      process.standardError = FileHandle.nullDevice
    }

    deinit {
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      close()
      Glibc.close(secondary)
    }

    func close() {
      if isOpen { Glibc.close(primary) }
      isOpen = false
    }

    var modes: [UInt32] {
      var state = termios()
      tcgetattr(secondary, &state)
      return [state.c_iflag, state.c_oflag, state.c_cflag, state.c_lflag]
    }

    /// Reads what has come so far.
    func drain() {
      guard isOpen else { return }
      var buffer = Array(repeating: UInt8(0), count: 65_536)
      while true {
        let count = read(primary, &buffer, buffer.count)
        if count <= 0 { return }
        seen += String(decoding: buffer[..<count], as: UTF8.self)
      }
    }

    func send(_ text: String) { _ = text.withCString { write(primary, $0, strlen($0)) } }

    /// Waits until a text has appeared since the last call to `forget`.
    func wait(for text: String) -> Bool {
      for _ in 0..<6000 {
        drain()
        if seen.contains(text) { return true }
        usleep(5000)
      }
      return false
    }

    /// Waits until something holds.
    func wait(until isSo: () -> Bool) -> Bool {
      for _ in 0..<6000 {
        drain()
        if isSo() { return true }
        usleep(5000)
      }
      return false
    }

    /// What the kernel says of its signals: pending, blocked, ignored, caught.
    var signalState: String {
      let status = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let lines = (status ?? "").split(separator: "\n").filter {
        $0.contains("Sig") || $0.contains("Shd")
      }
      return lines.joined(separator: ", ")
    }

    /// The kernel's letter for the process: R, S, T...
    var state: Character? {
      let stat = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
      return stat?.split(separator: ")").last?.dropFirst().first
    }

    func forget() {
      drain()
      seen = ""
    }

    func waitForEnd() -> Bool {
      for _ in 0..<6000 where process.isRunning {
        drain()
        usleep(5000)
      }
      return !process.isRunning
    }
  }

  @Test func startsAnswersKeysAndLeaves() throws {
    let terminal = try Pseudo(["--out", "run", "--threads", "1"], folder: scratch.path)
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

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGABRT, SIGSEGV])
  func signalsGiveTheTerminalBack(signal: Int32) throws {
    let terminal = try Pseudo(
      ["--ephemeral", "--threads", "1"], folder: scratch.path,
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    let before = terminal.modes
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    kill(terminal.process.processIdentifier, signal)
    #expect(terminal.waitForEnd())
    #expect(terminal.modes == before)
    let isCrash = signal == SIGABRT || signal == SIGSEGV
    #expect(terminal.process.terminationStatus == (isCrash ? signal : 128 + signal))
  }

  /// Ctrl-Z, or SIGTSTP from outside: the terminal is the shell's until SIGCONT; then all is drawn anew.
  @Test(arguments: [true, false]) func stopsAndContinues(byKey: Bool) throws {
    let terminal = try Pseudo(["--ephemeral", "--threads", "1"], folder: scratch.path)
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
    let terminal = try Pseudo(["open", "a", "b"], folder: commands.scratch.path)
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
    let terminal = try Pseudo(["--out", "run", "--threads", "1"], folder: scratch.path)
    try terminal.process.run()
    #expect(terminal.wait(for: "samples/s"))
    terminal.close()
    #expect(terminal.waitForEnd())
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("run/checkpoints"))
    #expect(!checkpoints.isEmpty)
  }

  @Test func aStormOfResizesIsSurvived() throws {
    let terminal = try Pseudo(["--ephemeral", "--threads", "1"], folder: scratch.path)
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
    let terminal = try Pseudo(
      ["--out", "run", "--set", "training.epochs=1", "--set", "data.train=64"],
      folder: scratch.path, environment: ["TERM": type])
    try terminal.process.run()
    #expect(terminal.waitForEnd())
    terminal.drain()
    #expect(terminal.process.terminationStatus == 0)
    #expect(terminal.seen.contains("epoch 1"))
  }
}
