// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Foundation
import SpikeData

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data files, convert them, get them.",
    subcommands: [Info.self, Convert.self, DataGetCommand.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "What data files hold: counts, classes, speakers, spikes, times, and what is unusual.")

    @Argument(
      help:
        "A file (.h5, .npz, idx; plain or .gz), or a folder of such files, of arrays, or of N-MNIST.",
      completion: .file())
    var path: String

    @Option(help: "Channels of an SHD file.")
    var units: Int = 700

    func validate() throws {
      guard (1...65_535).contains(units) else {
        throw ValidationError("--units is \(units), allowed is 1 to 65535")
      }
    }

    func run() throws {
      for line in try DataReport(path: path, units: units).lines { Console.out(line) }
    }
  }

  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write data in another form: NumPy arrays, tables, or the layout of SHD.",
      discussion: """
        SOURCE is a preset, whose data are taken as it reads them (its validation split too), or a place of files: a \
        folder or file of SHD, of arrays (kind npy), or of N-MNIST.

        eventprop data convert spoken-digits --to digits.npz
        eventprop data convert FOLDER --to arrays --format npy
        """)

    @Argument(help: "A preset, or a folder or file of data.")
    var source: String

    @Option(help: "The folder, of npz the file.")
    var to: String

    @Option(help: "npy, npz, csv or shd (default: npz where the name ends so, else npy).")
    var format: String?

    @Option(name: .customLong("set"), help: "Override a key, as data.train=100 or data.units=256.")
    var settings: [String] = []

    func validate() throws {
      if let format, DataConversion.Form(rawValue: format) == nil {
        let known = DataConversion.Form.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--format is \(format), allowed are \(known)")
      }
    }

    func run() throws {
      let form =
        format.flatMap(DataConversion.Form.init) ?? (to.hasSuffix(".npz") ? .npz : .npy)
      var data = try preset().loadData { Console.say($0) }
      // One file alone was read for both parts.
      if SHDFile.isName(source) { data.test = data.test.selecting([]) }
      for note in data.notes { Console.out(note) }
      try DataConversion.write(data, as: form, to: to)
      Console.out(
        "\(data.train.count) training, \(data.validate.count) validation, \(data.test.count) test samples: \(to)"
      )
    }

    /// One that reads the source.
    private func preset() throws -> Preset {
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isDirectory)
      guard exists, !source.hasSuffix(".toml") else {
        return try Preset(contentsOf: PresetLibrary.path(of: source), settings: settings)
      }
      let folder = isDirectory.boolValue ? source : (source as NSString).deletingLastPathComponent
      let place = folder.isEmpty ? "." : folder
      var keys = ["data.path": place]
      if !isDirectory.boolValue, SHDFile.isName(source) {
        let file = (source as NSString).lastPathComponent
        keys["data.kind"] = "shd"
        // One file alone is taken for both parts, and the second left out.
        (keys["data.train_file"], keys["data.test_file"]) = (file, file)
      } else if isDirectory.boolValue, NMNIST.isFolder(source) {
        keys["data.kind"] = "n-mnist"
      } else if isDirectory.boolValue,
        try SHDFile.onlyPath(in: source, part: "train", key: "data.train_file") != nil
      {
        keys["data.kind"] = "shd"
      } else {
        keys["data.kind"] = "npy"
        keys["data.path"] = source
      }
      // A trial of any length: nothing is cut off here.
      return try Preset(
        text:
          "name = \"conversion\"\n[data]\nkind = \"npy\"\n[simulation]\nduration = 1e6\nstep = 1\n",
        file: source,
        settings: keys.map { "\($0)=\(ConfigValue.quoted($1))" }.sorted() + ["simulation.step=1.0"]
          + settings)
    }
  }
}
