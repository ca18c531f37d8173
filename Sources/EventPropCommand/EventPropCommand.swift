// SPDX-License-Identifier: MIT

import Experiments
import Runs
import Training
import ArgumentParser
import Foundation
import SpikeData

/// The command line.
@main
struct EventPropCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eventprop",
    abstract:
      "Train spiking neural networks with exact gradients (EventProp), and see why they learn.",
    discussion: """
      PRESET is a name from `eventprop presets` or a .toml file; RUN is a folder under runs/.

      eventprop                              the workbench, on spoken digits
      eventprop presets                      what there is to try
      eventprop doctor yin-yang-sum          are its initial weights any good?
      eventprop train yin-yang-first-spike   train; results in runs/
      eventprop runs                         what has been trained, and what is being trained
      eventprop watch runs/NAME-1            look on while another process trains it
      eventprop evaluate runs/NAME-1         accuracy of the last checkpoint
      eventprop import net.nir --data shd    a network of another program becomes a run
      eventprop gradcheck yin-yang-sum       adjoint against finite differences

      Exit status: 0 when all went well; 1 for an error, which is said in one line, and for an answer that is bad \
      (gradcheck above its tolerance, presets check with a faulty preset, bisect that finds no update, points of a \
      sweep that have failed); 64 for a wrong command line; 75 of `sweep task` when another process has the point; \
      128 + n after signal n, where a training has left a checkpoint.
      """,
    version: Version.text,
    subcommands: [
      OpenCommand.self, WatchCommand.self, RunsCommand.self, TrainCommand.self,
      CrossvalidateCommand.self, SweepCommand.self, MetricsCommand.self, NIRDataCommand.self,
      FigureCommand.self, EvaluateCommand.self, GradcheckCommand.self, DoctorCommand.self,
      DiagnoseCommand.self, BisectCommand.self, ReportCommand.self, GradientCommand.self,
      ImportCommand.self, ExportCommand.self,
      BenchCommand.self, PresetsCommand.self, DataCommand.self,
    ],
    defaultSubcommand: OpenCommand.self)

  static func main() {
    let arguments = CommandLine.arguments
    if arguments.count == 4, arguments[1] == HDF5Helper.argument {
      if arguments[3] == HDF5Helper.tree { HDF5Helper.serve(path: arguments[2], units: nil) }
      if let units = Int(arguments[3]), (1...65_535).contains(units) {
        HDF5Helper.serve(path: arguments[2], units: units)
      }
    }
    HDF5Helper.executable = "/proc/self/exe"
    // Whoever started this program may have blocked signals: none is to wait for ever.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, nil)
    // A file that grows beyond its limit is then an error of writing, with a message.
    signal(SIGXFSZ, SIG_IGN)
    let words = Array(arguments.dropFirst())
    if let mistyped = MistypedVerb.find(words, presets: PresetLibrary.names) {
      Console.error("Error: \(mistyped)")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      switch error {
      case is FileError, is TrainingError:
        Console.error("Error: \(error)")
        Foundation.exit(1)
      default: exit(withError: error)
      }
    }
    if let failure = Console.failure {
      Console.error("Error: standard output cannot be written: \(failure)")
      Foundation.exit(1)
    }
  }
}
