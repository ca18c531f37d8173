// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

@testable import SpikeData

/// Arrays as NumPy leaves them, and spikes in them.
@Suite struct ArrayTests {
  let scratch = ScratchDirectory()

  static func npy(_ description: String, _ shape: String, _ bytes: [UInt8], fortran: Bool = false)
    -> [UInt8]
  {
    ArrayBytes.npy(description, shape, bytes, fortran: fortran)
  }

  static func bytes<T>(_ values: [T]) -> [UInt8] { ArrayBytes.bytes(values) }

  /// Half precision: 1, -2, the smallest of all.
  static let halves: [UInt16] = [0x3C00, 0xC000, 1]
  static let bigDoubles: [UInt64] = [0.0, -1.5, 1e300].map { $0.bitPattern.bigEndian }
  static let types: [(description: String, bytes: [UInt8], expected: [Double])] = [
    ("'|b1'", [0, 1, 1], [0, 1, 1]),
    ("'|u1'", [0, 1, 255], [0, 1, 255]),
    ("'|i1'", bytes([Int8(0), -1, 127]), [0, -1, 127]),
    ("'<u2'", bytes([UInt16(0), 1, 65535]), [0, 1, 65535]),
    ("'<i2'", bytes([Int16(0), -2, 300]), [0, -2, 300]),
    ("'>i2'", bytes([Int16(0), Int16(-2).bigEndian, Int16(300).bigEndian]), [0, -2, 300]),
    ("'<u4'", bytes([UInt32(0), 1, 4_000_000_000]), [0, 1, 4e9]),
    ("'<i8'", bytes([Int64(0), -1, 1 << 52]), [0, -1, 0x1p52]),
    ("'>f8'", bytes(bigDoubles), [0, -1.5, 1e300]),
    ("'<f4'", bytes([Float(0), -1.5, 0.25]), [0, -1.5, 0.25]),
    ("'<f2'", bytes(halves), [1, -2, 0x1p-24]),
  ]

  @Test(arguments: types)
  func everyType(type: (description: String, bytes: [UInt8], expected: [Double])) throws {
    let array = try NumPyArray(
      fileBytes: Self.npy(type.description, "3,", type.bytes), path: "a.npy")
    #expect(array.shape == [3])
    #expect(try array.doubles() == type.expected)
  }

  @Test func fortranOrderIsTurned() throws {
    let bytes = Self.bytes([1.0, 2, 3, 4, 5, 6])
    let array = try NumPyArray(
      fileBytes: Self.npy("'<f8'", "2, 3", bytes, fortran: true), path: "a.npy")
    #expect(try array.doubles() == [1, 3, 5, 2, 4, 6])
  }

  @Test func recordsHaveFields() throws {
    let description = "[('x', '<i2'), ('t', '<i8'), ('p', '|b1')]"
    let rows: [UInt8] =
      Self.bytes([Int16(3)]) + Self.bytes([Int64(1500)]) + [1] + Self.bytes([Int16(4)])
      + Self.bytes([Int64(2500)]) + [0]
    let array = try NumPyArray(fileBytes: Self.npy(description, "2,", rows), path: "a.npy")
    #expect(array.names == ["x", "t", "p"])
    #expect(try array.doubles("t") == [1500, 2500])
    #expect(try array.doubles("p") == [1, 0])
    #expect(throws: FileError.self) { try array.doubles() }
    #expect(throws: FileError.self) { try array.doubles("y") }
  }

  @Test(arguments: ["'<c8'", "'|O'", "'<U3'", "[('a', '<f4', (2,))]", "[('a', '|O')]"])
  func otherTypesAreRefused(description: String) {
    let file = Self.npy(description, "1,", [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(throws: FileError.self) { try NumPyArray(fileBytes: file, path: "a.npy") }
  }

  @Test func archivesRoundTrip() throws {
    let files: [(name: String, bytes: [UInt8])] = [
      ("a.npy", Array(0..<200)), ("test/b.npy", []), ("c.npy", Array(repeating: 7, count: 4000)),
    ]
    let bytes = ZipArchive.bytes(of: files)
    let archive = try ZipArchive(bytes, path: "a.npz")
    #expect(archive.names == ["a.npy", "c.npy", "test/b.npy"])
    for (name, content) in files { #expect(try archive.contents(name) == content) }
    #expect(try archive.contents("d.npy") == nil)
    // Every truncation and every flipped byte of the content is found out.
    for end in stride(from: 0, to: bytes.count, by: 37) {
      #expect(throws: FileError.self) { try ZipArchive(Array(bytes[..<end]), path: "a.npz") }
    }
    var flipped = bytes
    flipped[40] ^= 1
    #expect(throws: FileError.self) {
      try ZipArchive(flipped, path: "a.npz").contents("a.npy")
    }
  }

  // MARK: Spikes

  private let rows: [(sample: Int, unit: Int, time: Double)] = [
    (1, 4, 3.5), (0, 2, 1), (1, 0, 0.25), (0, 2, 0.5), (2, 3, 9),
  ]

  private func expect(_ data: SpikeDataSet, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(data.count == 3 && data.labels == [1, 0, 1], sourceLocation: sourceLocation)
    #expect(data[0].times == [0.5, 1] && data[0].units == [2, 2], sourceLocation: sourceLocation)
    #expect(
      data[1].times == [0.25, 3.5] && data[1].units == [0, 4], sourceLocation: sourceLocation)
    #expect(data[2].times == [9] && data[2].units == [3], sourceLocation: sourceLocation)
  }

  private var spikes: [UInt8] {
    Self.npy(
      "'<f4'", "5, 3",
      Self.bytes(rows.flatMap { [Float($0.sample), Float($0.unit), Float($0.time)] }))
  }
  private var labels: [UInt8] { Self.npy("'|u1'", "3,", [1, 0, 1]) }

  @Test func rowsOfSpikes() throws {
    _ = scratch.write(spikes, to: "spikes.npy")
    _ = scratch.write(labels, to: "labels.npy")
    _ = scratch.write("no\nyes\n", to: "classes.txt")
    _ = scratch.write(Self.npy("'<i4'", "3,", Self.bytes([Int32(7), 8, 7])), to: "speakers.npy")
    let data = try SpikeArrays().read(scratch.path)
    expect(data.train)
    #expect(data.train.unitCount == 5 && data.train.classNames == ["no", "yes"])
    #expect(data.train.speakers == [7, 8, 7] && data.test == nil && data.validate == nil)
    #expect(try SpikeArrays(units: 9).read(scratch.path).train.unitCount == 9)
    #expect(throws: FileError.self) { try SpikeArrays(units: 4).read(scratch.path) }
  }

  @Test func archivesOfSpikes() throws {
    let path = scratch.write(
      ZipArchive.bytes(of: [
        ("spikes.npy", spikes), ("labels.npy", labels), ("test/spikes.npy", spikes),
        ("test/labels.npy", labels),
      ]), to: "d.npz")
    let data = try SpikeArrays().read(path)
    expect(data.train)
    expect(try #require(data.test))
  }

  @Test func tablesOfSpikes() throws {
    let lines = rows.map { "\($0.sample),\($0.unit),\($0.time)" }
    _ = scratch.write(
      "sample,unit,time\n" + lines.joined(separator: "\n") + "\n", to: "spikes.csv")
    _ = scratch.write("label\n1\n0\n1\n", to: "labels.csv")
    expect(try SpikeArrays().read(scratch.path).train)
    _ = scratch.write("sample,unit,time\n0,1\n", to: "spikes.csv")
    let error = #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    #expect(error?.line == 2)
  }

  /// x, y, p and microseconds, an array for each sample.
  @Test func eventsOfCameras() throws {
    let description = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]"
    try FileManager.default.createDirectory(
      atPath: scratch.file("spikes"), withIntermediateDirectories: true)
    for sample in 0..<3 {
      let own = rows.filter { $0.sample == sample }
      let bytes = own.flatMap {
        Self.bytes([Int16($0.unit % 2)]) + Self.bytes([Int16($0.unit / 2 % 2)])
          + Self.bytes([Int64($0.time * 1000)]) + [UInt8($0.unit / 4)]
      }
      _ = scratch.write(
        Self.npy(description, "\(own.count),", bytes), to: "spikes/\(sample).npy")
    }
    _ = scratch.write(labels, to: "labels.npy")
    let data = try SpikeArrays(sensor: [2, 2, 2]).read(scratch.path)
    expect(data.train)
    #expect(data.train.unitCount == 8)
    #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    #expect(throws: FileError.self) { try SpikeArrays(sensor: [1, 2, 2]).read(scratch.path) }
  }

  @Test func seriesOfTargets() throws {
    _ = scratch.write(spikes, to: "spikes.npy")
    let values = (0..<3 * 4 * 2).map(Double.init)
    _ = scratch.write(Self.npy("'<f8'", "3, 4, 2", Self.bytes(values)), to: "targets.npy")
    let data = try SpikeArrays().read(scratch.path).train
    let targets = try #require(data.targets)
    #expect(targets.outputs == 2 && targets.points == 4 && targets.count == 3)
    #expect(data.labels == [0, 1, 2] && data.classNames == ["output 0", "output 1"])
    #expect(targets.value(label: 1, output: 1, at: 1) == 15)
    _ = scratch.write(labels, to: "labels.npy")
    #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
  }

  /// Parts that do not match, and columns that may be any, are refused; CRLF and the mark of UTF-8
  /// are no matter.
  @Test func partsAndColumnsMustMatch() throws {
    _ = scratch.write(spikes, to: "spikes.npy")
    _ = scratch.write("\u{FEFF}sample,label\r\n0,1\r\n1,0\r\n2,1\r\n", to: "labels.csv")
    expect(try SpikeArrays().read(scratch.path).train)
    _ = scratch.write("sample,class\n0,1\n1,0\n2,1\n", to: "labels.csv")
    #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    _ = scratch.write(labels, to: "labels.npy")
    try FileManager.default.createDirectory(
      atPath: scratch.file("test"), withIntermediateDirectories: true)
    _ = scratch.write(spikes, to: "test/spikes.npy")
    let series = Self.npy("'<f8'", "3, 2", Self.bytes([0.0, 1, 2, 3, 4, 5]))
    _ = scratch.write(series, to: "test/targets.npy")
    let error = #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    #expect(error?.message.contains("2 outputs") == true)
    for name in ["labels.npy", "labels.csv"] {
      try FileManager.default.removeItem(atPath: scratch.file(name))
    }
    let one = Self.npy("'<f8'", "3, 1", Self.bytes([0.0, 1, 2]))
    _ = scratch.write(one, to: "targets.npy")
    #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    _ = scratch.write(series, to: "targets.npy")
    #expect(try SpikeArrays().read(scratch.path).test?.targets?.outputs == 2)
  }

  @Test(arguments: [
    (7.0, 0.0, 1.0), (0, -1, 1), (0, 0.5, 1), (0, 70_000, 1), (0, 0, -1), (0, 0, .nan),
    (.nan, 0, 0),
  ])
  func wrongRowsAreNamed(row: (sample: Double, unit: Double, time: Double)) {
    let bytes = Self.bytes([0, 0, 1, row.sample, row.unit, row.time])
    _ = scratch.write(Self.npy("'<f8'", "2, 3", bytes), to: "spikes.npy")
    _ = scratch.write(labels, to: "labels.npy")
    let error = #expect(throws: FileError.self) { try SpikeArrays().read(scratch.path) }
    #expect(error?.message.contains("row 1") == true)
  }

  // MARK: N-MNIST

  @Test func eventsOfNMNIST() throws {
    // x 3, y 5, on, 70,000 us; x 33, y 33, off, 1 us.
    let bytes: [UInt8] = [3, 5, 0x80 | 1, 0x11, 0x70, 33, 33, 0, 0, 1]
    let train = try NMNIST.events(bytes, "a.bin")
    #expect(train.times == [0.001, 70])
    let units: [UInt16] = [1155, 1329]
    #expect(train.units == units)
    #expect(throws: FileError.self) { try NMNIST.events([1, 2, 3], "a.bin") }
    #expect(throws: FileError.self) { try NMNIST.events([34, 0, 0, 0, 0], "a.bin") }
    for digit in 0...9 {
      for part in ["Train", "Test"] {
        try FileManager.default.createDirectory(
          atPath: scratch.file("\(part)/\(digit)"), withIntermediateDirectories: true)
        _ = scratch.write(bytes, to: "\(part)/\(digit)/0000\(digit).bin")
      }
    }
    let data = try NMNIST().read(scratch.path, part: "Train", count: 4, key: "data.train")
    #expect(data.count == 4 && data.labels == [0, 1, 2, 3] && data.unitCount == 2312)
    #expect(NMNIST.isFolder(scratch.path))
    #expect(throws: FileError.self) {
      try NMNIST().read(scratch.path, part: "Test", count: 11, key: "data.test")
    }
  }
}
