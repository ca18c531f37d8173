// SPDX-License-Identifier: MIT

import CZlib
import Foundation

/// The files in a `.zip` or `.npz`: stored or deflated, without encryption, of less than 4 GB each.
struct ZipArchive {
  private struct Entry {
    var isDeflated: Bool
    var packed: Int
    var size: Int
    var checksum: UInt32
    /// Of its local header.
    var offset: Int
  }

  let path: String
  private let bytes: [UInt8]
  private let entries: [String: Entry]

  /// - Throws: `FileError` for what is no archive, or a damaged one.
  init(_ path: String) throws {
    let data = try RegularFile.contents(path, limit: 1 << 34) { FileError(path, $0) }
    try self.init([UInt8](data), path: path)
  }

  init(_ bytes: [UInt8], path: String) throws {
    self.path = path
    self.bytes = bytes
    func number(_ place: Int, _ size: Int) throws -> Int {
      guard place >= 0, place + size <= bytes.count else {
        throw FileError(path, "is damaged or truncated: its list of files leaves the file")
      }
      return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    // The end record lies within the last 64 kB.
    guard bytes.count >= 22,
      let end = stride(from: bytes.count - 22, through: max(0, bytes.count - 65_557), by: -1)
        .first(where: { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 5, 6]) })
    else { throw FileError(path, "is not a .npz file, or truncated") }
    let count = try number(end + 10, 2)
    var place = try number(end + 16, 4)
    var entries: [String: Entry] = [:]
    for _ in 0..<count {
      guard try number(place, 4) == 0x0201_4B50 else {
        throw FileError(path, "is damaged: its list of files is not where it should be")
      }
      let method = try number(place + 10, 2)
      let (flags, nameLength) = (try number(place + 8, 2), try number(place + 28, 2))
      _ = try number(place + 46 + nameLength - 1, 1)
      let name = String(decoding: bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
      guard method == 0 || method == 8, flags & 1 == 0 else {
        throw FileError(path, "\(name): is encrypted, or packed in an unknown way (\(method))")
      }
      let entry = Entry(
        isDeflated: method == 8, packed: try number(place + 20, 4), size: try number(place + 24, 4),
        checksum: UInt32(try number(place + 16, 4)), offset: try number(place + 42, 4))
      guard entry.packed != 0xFFFF_FFFF, entry.size != 0xFFFF_FFFF, entry.offset != 0xFFFF_FFFF
      else { throw FileError(path, "\(name): is larger than 4 GB") }
      entries[name] = entry
      place += 46 + nameLength + (try number(place + 30, 2)) + (try number(place + 32, 2))
    }
    self.entries = entries
  }

  var names: [String] { entries.keys.sorted() }

  /// nil where there is no such file.
  /// - Throws: `FileError` for a damaged one.
  func contents(_ name: String) throws -> [UInt8]? {
    guard let entry = entries[name] else { return nil }
    let damaged = FileError(path, "\(name): is damaged or truncated")
    let header = entry.offset
    guard header + 30 <= bytes.count,
      bytes[header..<header + 4].elementsEqual([0x50, 0x4B, 3, 4])
    else { throw damaged }
    let name = Int(bytes[header + 26]) | Int(bytes[header + 27]) << 8
    let extra = Int(bytes[header + 28]) | Int(bytes[header + 29]) << 8
    let start = header + 30 + name + extra
    guard start + entry.packed <= bytes.count else { throw damaged }
    let packed = Array(bytes[start..<start + entry.packed])
    // Deflate packs at most a thousandfold: a larger size is a lie.
    guard entry.isDeflated ? entry.size <= 1100 * (entry.packed + 64) : entry.size == entry.packed
    else { throw damaged }
    let content = entry.isDeflated ? Self.inflated(packed, size: entry.size) : packed
    guard let content, Self.checksum(content) == entry.checksum else { throw damaged }
    return content
  }

  private static func inflated(_ packed: [UInt8], size: Int) -> [UInt8]? {
    var stream = z_stream()
    let version = zlibVersion()
    guard
      inflateInit2_(&stream, -15, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    var packed = packed
    var content = [UInt8](repeating: 0, count: max(size, 1))
    let status = packed.withUnsafeMutableBufferPointer { input in
      content.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(size)
        return inflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END, Int(stream.total_out) == size else { return nil }
    content.removeLast(content.count - size)
    return content
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer {
      UInt32(crc32(0, $0.baseAddress, UInt32($0.count)))
    }
  }

  /// An archive of files, stored as they are: what `numpy.savez` makes.
  static func bytes(of files: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    func little(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var (content, list): ([UInt8], [UInt8]) = ([], [])
    for (name, bytes) in files {
      let offset = content.count
      // Version 2.0, no flags, stored, the first of January 1980.
      let common =
        little(20, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(33, 2)
        + little(Int(checksum(bytes)), 4) + little(bytes.count, 4) + little(bytes.count, 4)
        + little(name.utf8.count, 2) + little(0, 2)
      content += little(0x0403_4B50, 4) + common + Array(name.utf8) + bytes
      list +=
        little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 2) + little(0, 2)
        + little(0, 2) + little(0, 4) + little(offset, 4) + Array(name.utf8)
    }
    let end =
      little(0x0605_4B50, 4) + little(0, 4) + little(files.count, 2) + little(files.count, 2)
      + little(list.count, 4) + little(content.count, 4) + little(0, 2)
    return content + list + end
  }
}
