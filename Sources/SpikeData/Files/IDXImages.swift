// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Images in IDX files (MNIST and its kin), raw or gzip-compressed, as latency-coded spikes: a
/// pixel p spikes once at t = (255 - p)/255 (T - 4 dt) + 2 dt; pixels at or below `greyLevel` do
/// not spike.
public struct IDXImages: Sendable {
  /// Trial length and step, ms.
  public var duration: Double
  /// The first two and the last two steps of a trial stay without spikes.
  public var step: Double
  /// Pixels at or below it are silent, 0...254.
  public var greyLevel: Int

  /// `read` throws when `duration` is less than five steps.
  public init(duration: Double, step: Double, greyLevel: Int = 0) {
    self.duration = duration
    self.step = step
    self.greyLevel = greyLevel
  }

  /// Reads `images` and `labels`, two paths.
  /// - Throws: `FileError` with file, place and what is allowed.
  public func read(images: String, labels: String) throws -> SpikeDataSet {
    let pixels = try IDXFile(images, rank: 3, content: "images")
    let classes = try IDXFile(labels, rank: 1, content: "labels")
    guard pixels.dimensions[0] == classes.dimensions[0] else {
      throw FileError(
        labels,
        "has \(classes.dimensions[0]) labels, but \(images) has \(pixels.dimensions[0]) images")
    }
    guard duration >= 5 * step else {
      throw FileError(
        images,
        "simulation.duration \(duration) ms is less than five steps of \(step) ms: from 2 steps after the start to 2 before "
          + "the end there is no time for bright before dark")
    }
    let (units, overflow) = pixels.dimensions[1].multipliedReportingOverflow(
      by: pixels.dimensions[2])
    guard !overflow, units > 0, units <= Int(UInt16.max) else {
      throw FileError(
        images,
        "header: images of \(pixels.dimensions[1]) x \(pixels.dimensions[2]) pixels; "
          + "allowed are 1 to \(UInt16.max) pixels")
    }
    let highest = Int(classes.values.max() ?? 0)
    guard pixels.dimensions[0] > 0 else { throw FileError(images, "header: holds no images") }
    var data = SpikeDataSet(
      name: (images as NSString).lastPathComponent, unitCount: units,
      classNames: (0...highest).map(String.init))
    encode(pixels, classes, units, into: &data)
    return data
  }

  private func encode(
    _ pixels: IDXFile, _ classes: IDXFile, _ units: Int, into data: inout SpikeDataSet
  ) {
    let count = pixels.dimensions[0]
    data.reserve(samples: count, spikes: count * units / 4)
    let timeOf = (0...255).map {
      Double(255 - $0) / 255 * (duration - 4 * step) + 2 * step
    }
    var train = SpikeTrain()
    var byLevel = Array(repeating: [UInt16](), count: 256)
    for sample in 0..<count {
      for level in byLevel.indices { byLevel[level].removeAll(keepingCapacity: true) }
      for unit in 0..<units {
        let level = Int(pixels.values[sample * units + unit])
        if level > greyLevel { byLevel[level].append(UInt16(unit)) }
      }
      train.times.removeAll(keepingCapacity: true)
      train.units.removeAll(keepingCapacity: true)
      for level in stride(from: 255, to: greyLevel, by: -1) {
        for unit in byLevel[level] {
          train.times.append(timeOf[level])
          train.units.append(unit)
        }
      }
      data.append(train, label: Int(classes.values[sample]))
    }
  }

  /// Whether a file name is one of those that IDX files go by.
  static func isName(_ name: String) -> Bool {
    name.contains("ubyte") || name.contains("idx1") || name.contains("idx3")
  }

  /// The images and labels of a part, `train` or `test`, in a folder: `train-images-idx3-ubyte` and
  /// `t10k-...` or their many relatives (`train-images.idx3-ubyte`,
  /// `emnist-letters-test-labels-idx1-ubyte`), with or without `.gz`.
  public static func paths(in folder: String, part: String) throws -> (
    images: String, labels: String
  ) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
      isDirectory.boolValue
    else { throw FileError(folder, "no such folder (data.path)") }
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter(isName).sorted()
    func find(_ content: String) throws -> String {
      let words = part == "train" ? ["train"] : ["t10k", "test"]
      let found = all.filter { name in
        name.contains(content) && words.contains { name.contains($0) }
      }
      // The same file packed and unpacked is one.
      let plain = found.filter { !$0.hasSuffix(".gz") || !found.contains(String($0.dropLast(3))) }
      guard plain.count == 1 else {
        let list = plain.isEmpty ? "none" : plain.joined(separator: ", ")
        throw FileError(
          folder,
          "needs one file of \(part) \(content), as \(words[0])-\(content)-idx\(content == "images" ? 3 : 1)-ubyte or .gz of it; "
            + "found \(list); name it with data.\(part)_\(content)")
      }
      return (folder as NSString).appendingPathComponent(plain[0])
    }
    return (try find("images"), try find("labels"))
  }
}

/// An IDX file of unsigned bytes: magic 0x000008 and the rank, one big-endian uint32 per dimension,
/// the bytes.
public struct IDXFile: Sendable {
  /// One size per axis, the slowest first: images, rows, columns; labels have one axis.
  public let dimensions: [Int]
  /// Row-major.
  public let values: [UInt8]

  /// - Parameter content: what messages call the values ("images").
  public init(_ path: String, rank: Int? = nil, content: String = "values") throws {
    let bytes = try Gzip.read(path)
    guard !bytes.isEmpty else { throw FileError(path, "is empty; an IDX file was expected") }
    guard bytes.count >= 4 else {
      throw FileError(path, "has \(bytes.count) bytes; an IDX header needs at least 8")
    }
    guard bytes[0] == 0, bytes[1] == 0, bytes[2] == 8 else {
      let magic = bytes[0..<4].map { String(format: "%02x", $0) }.joined()
      throw FileError(
        path, "byte 0: magic 0x\(magic) is not an IDX file of unsigned bytes (0x000008nn)")
    }
    if let rank, Int(bytes[3]) != rank {
      throw FileError(
        path, "byte 3: rank \(bytes[3]), but \(content) have rank \(rank): is this the right file?")
    }
    let start = 4 + 4 * Int(bytes[3])
    guard bytes.count >= start, bytes[3] > 0 else {
      throw FileError(path, "has \(bytes.count) bytes; a header of rank \(bytes[3]) needs \(start)")
    }
    dimensions = (0..<Int(bytes[3])).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
    }
    var expected = 1
    for size in dimensions {
      let (product, overflow) = expected.multipliedReportingOverflow(by: size)
      guard !overflow else {
        throw FileError(path, "header: dimensions \(dimensions) are too large")
      }
      expected = product
    }
    guard bytes.count - start == expected else {
      let problem = bytes.count - start < expected ? "truncated" : "followed by something else"
      throw FileError(
        path,
        "header promises \(expected) \(content == "labels" ? "labels" : "bytes"), "
          + "the file has \(bytes.count - start): it is \(problem)")
    }
    values = Array(bytes[start...])
  }
}
