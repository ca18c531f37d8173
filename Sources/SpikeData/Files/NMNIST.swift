// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Files of N-MNIST (Orchard et al. 2015): folders `Train` and `Test` with a folder for each digit,
/// in them `.bin` files of five bytes an event: x, y, then a bit of polarity and 23 bits of
/// microseconds, the highest first.
public struct NMNIST: Sendable {
  /// Width, height, polarities.
  public static let sensor = [34, 34, 2]
  /// x + 34 y + 1156 p.
  public static let unitCount = 34 * 34 * 2

  /// All files are read as they are.
  public init() {}

  /// The first samples of a part, in the order of the numbers in file names, which go through all
  /// digits.
  /// - Parameters:
  ///   - part: `Train` or `Test`.
  ///   - count: nil: all.
  /// - Throws: `FileError` with file, event and what is allowed.
  public func read(_ folder: String, part: String, count: Int?, key: String) throws -> SpikeDataSet
  {
    let root = try Self.find(part, in: folder)
    var files: [(name: String, label: Int, path: String)] = []
    for label in 0...9 {
      let path = root + "/\(label)"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      files += names.filter { $0.hasSuffix(".bin") }.map { ($0, label, path + "/" + $0) }
    }
    guard !files.isEmpty else {
      throw FileError(root, "holds no files 0/*.bin to 9/*.bin")
    }
    files.sort { ($0.name, $0.label) < ($1.name, $1.label) }
    if let count {
      guard count <= files.count else {
        throw FileError(root, "\(key) = \(count), but there are \(files.count) samples")
      }
      files.removeLast(files.count - count)
    }
    var data = SpikeDataSet(
      name: (root as NSString).lastPathComponent, unitCount: Self.unitCount,
      classNames: (0...9).map(String.init))
    for file in files { data.append(try Self.events(file.path), label: file.label) }
    return data
  }

  /// Whether a folder holds such files.
  public static func isFolder(_ path: String) -> Bool { (try? find("Train", in: path)) != nil }

  private static func find(_ part: String, in folder: String) throws -> String {
    for name in [part, part.lowercased()] {
      var isDirectory: ObjCBool = false
      let path = (folder as NSString).appendingPathComponent(name)
      if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
        isDirectory.boolValue,
        FileManager.default.fileExists(atPath: path + "/0")
      {
        return path
      }
    }
    throw FileError(folder, "holds no folder \(part) with folders 0 to 9 (data.path)")
  }

  static func events(_ path: String) throws -> SpikeTrain {
    let data = try RegularFile.contents(path, limit: 1 << 26) { FileError(path, $0) }
    return try events([UInt8](data), path)
  }

  static func events(_ bytes: [UInt8], _ path: String) throws -> SpikeTrain {
    guard bytes.count.isMultiple(of: 5) else {
      throw FileError(path, "has \(bytes.count) bytes; allowed is five an event")
    }
    var train = SpikeTrain(times: [], units: [])
    train.times.reserveCapacity(bytes.count / 5)
    train.units.reserveCapacity(bytes.count / 5)
    for event in stride(from: 0, to: bytes.count, by: 5) {
      let (x, y) = (Int(bytes[event]), Int(bytes[event + 1]))
      // y = 240 marks an overflow of the clock in files of the camera, which these do not have.
      guard x < sensor[0], y < sensor[1] else {
        throw FileError(
          path, "event \(event / 5): x \(x), y \(y); allowed is 0 to \(sensor[0] - 1)")
      }
      let time =
        Int(bytes[event + 2] & 0x7F) << 16 | Int(bytes[event + 3]) << 8 | Int(bytes[event + 4])
      let polarity = Int(bytes[event + 2] >> 7)
      train.units.append(UInt16(x + sensor[0] * (y + sensor[1] * polarity)))
      train.times.append(Double(time) / 1000)
    }
    if !zip(train.times, train.times.dropFirst()).allSatisfy({ $0 <= $1 }) { train.sort() }
    return train
  }
}
