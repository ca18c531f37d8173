// SPDX-License-Identifier: MIT

import ArgumentParser
import Foundation
import SpikeData

struct DataGetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Get a published data set: \(PublishedData.all.map(\.name).joined(separator: ", ")).",
    discussion: """
      What is there already and whole is not got again; what was broken off goes on. Sums are checked. It is curl that \
      fetches; a proxy is taken from the environment, as curl has it.
      """)

  @Argument(help: "Which one.")
  var name: String

  @Option(help: "Folder for the files (default: data/NAME).")
  var to: String?

  @Option(help: "A mirror: where files of the same names lie, in place of the published address.")
  var url: String?

  @Flag(help: "Say addresses and sums, and get nothing.")
  var list = false

  func validate() throws {
    guard PublishedData.all.contains(where: { $0.name == name }) else {
      let known = PublishedData.all.map(\.name).joined(separator: ", ")
      throw ValidationError("there is no data set \(name); allowed are \(known)")
    }
  }

  func run() throws {
    guard let data = PublishedData.all.first(where: { $0.name == name }) else { return }
    let folder = to ?? "data/\(name)"
    if list {
      for file in data.files { Console.out("\(file.md5)  \(address(file))") }
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw FileError(folder, "cannot be made: \(error.localizedDescription)")
    }
    for file in data.files {
      let path = (folder as NSString).appendingPathComponent(file.name)
      let isThere = FileManager.default.fileExists(atPath: path)
      if isThere, try sum(path) == file.md5 {
        Console.out("\(path): is there")
      } else {
        try get(file, to: path)
        Console.out("\(path): got, its sum is right")
      }
      if path.hasSuffix(".zip") { try PublishedData.unpack(path) }
    }
    Console.out(data.hint.replacingOccurrences(of: "FOLDER", with: folder))
  }

  private func address(_ file: PublishedData.File) -> String {
    url.map { $0.hasSuffix("/") ? $0 + file.name : $0 + "/" + file.name } ?? file.url
  }

  /// Into `path.part`, which a later call goes on with.
  private func get(_ file: PublishedData.File, to path: String) throws {
    let part = path + ".part"
    let from = address(file)
    let status = try call(
      "curl",
      ["--fail", "--location", "--progress-bar", "--continue-at", "-", "--output", part, from],
      quiet: false
    ).status
    // 33: the server does not go on with a part.
    if status == 33 {
      try? FileManager.default.removeItem(atPath: part)
      throw FileError(from, "does not go on with a broken-off file: \(part) is removed, try again")
    }
    guard status == 0 else {
      let reason =
        [
          5: "no such proxy", 6: "the name of its server is not known: is there a network?",
          7: "its server cannot be reached: is there a network?", 22: "is not there",
          28: "its server does not answer", 60: "its certificate is not trusted",
        ][status] ?? "curl ended with status \(status)"
      throw FileError(from, "\(reason) (--url names a mirror)")
    }
    let found = try sum(part)
    guard found == file.md5 else {
      try? FileManager.default.removeItem(atPath: part)
      throw FileError(
        from, "has the md5 sum \(found), published is \(file.md5): it was not kept")
    }
    guard rename(part, path) == 0 else {
      throw FileError(path, "cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  private func sum(_ path: String) throws -> String {
    let (status, text) = try call("md5sum", ["--", path], quiet: true)
    guard status == 0 else { throw FileError(path, "has no md5 sum: md5sum failed") }
    // Names with odd characters have a backslash before the sum.
    return String(text.drop { $0 == "\\" }.prefix(32))
  }

  private func call(_ program: String, _ arguments: [String], quiet: Bool) throws -> (
    status: Int, text: String
  ) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    if quiet { process.standardOutput = pipe }
    do {
      try process.run()
    } catch {
      throw FileError(program, "cannot be called: \(error.localizedDescription)")
    }
    let text = quiet ? pipe.fileHandleForReading.readDataToEndOfFile() : Data()
    process.waitUntilExit()
    guard process.terminationStatus != 127 else {
      throw FileError(program, "is not installed: sudo apt-get install \(program)")
    }
    return (Int(process.terminationStatus), String(decoding: text, as: UTF8.self))
  }
}
