// SPDX-License-Identifier: MIT

import ArgumentParser
import Foundation
import SpikeData

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data files.", subcommands: [Info.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What an IDX or SHD file holds: counts, classes, speakers, spikes, times.")

    @Argument(help: "A file (.h5, idx; plain or .gz), or a folder of such files.")
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
}
