// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

@testable import SpikeData

/// Serialised: libhdf5 is not thread-safe.
@Suite(.serialized) struct SHDFileTests {
  let scratch = ScratchDirectory()

  func message(_ path: String, units: Int = 700) -> String {
    do {
      _ = try SHDFile(units: units).read(path)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func readsWhatWasWritten() throws {
    let path = scratch.file("a.h5")
    HDF5Writer.write(
      path, times: [[0.25, 0.5], [], [0.125]], units: [[699, 3], [], [0]], labels: [2, 0, 1],
      speakers: [4, 5, 4])
    let data = try SHDFile().read(path)
    #expect(data.count == 3)
    #expect(data[0] == SpikeTrain(times: [250, 500], units: [699, 3]))
    #expect(data[1].count == 0)
    #expect(data[2].times == [125])
    #expect(data.labels == [2, 0, 1])
    #expect(data.speakers == [4, 5, 4])
    #expect(data.classNames == ["0", "1", "2"])
  }

  /// float64 files keep all their digits: 32 bits would cost the exact solver eight.
  @Test func timesKeepTheirDigits() throws {
    let path = scratch.file("a.h5")
    let seconds = [0.1234567890123456, 0.7654321098765432]
    HDF5Writer.write(path, times: [seconds], units: [[1, 2]], labels: [0], timesAsDoubles: true)
    let data = try SHDFile().read(path)
    #expect(data[0].times == seconds.map { $0 * 1000 })
    #expect(data.selecting([0])[0].times == seconds.map { $0 * 1000 })
  }

  /// Names as h5py writes a list of str, and a user block as MATLAB writes before the file.
  @Test func namesAndUserBlocksAreRead() throws {
    let path = scratch.file("a.h5")
    HDF5Writer.write(
      path, times: [[0.25], [0.5]], units: [[1], [2]], labels: [1, 0],
      names: ["null", "ein sehr langes Wort mit \u{fc}"])
    let data = try SHDFile().read(path)
    #expect(data.classNames == ["null", "ein sehr langes Wort mit \u{fc}"])
    HDF5Writer.write(
      path, times: [[0.25], [0.5]], units: [[1], [2]], labels: [1, 0], names: ["null", "eins"],
      padded: 12)
    #expect(try SHDFile().read(path).classNames == ["null", "eins"])
    // libhdf5 finds the superblock behind the block; addresses count from there.
    let padded = try SHDFile().read(path)
    let bytes = [UInt8](FileManager.default.contents(atPath: path)!)
    let blocked = scratch.write(Array(repeating: 7, count: 512) + bytes, to: "m.h5")
    #expect(try SHDFile().read(blocked).classNames == padded.classNames)
    #expect(
      message(scratch.write(Array(repeating: 7, count: 300) + bytes, to: "n.h5")).contains(
        "not an HDF5 file"))
  }

  /// Files that would have others read are refused.
  @Test func otherFilesAreNotReachedInto() {
    let path = scratch.file("a.h5")
    let secret = scratch.write("TOPSECRET bytes of somebody", to: "secret")
    HDF5Writer.writeReachingOut(path, to: secret, byLink: false)
    #expect(message(path).contains("labels keeps its values in other files"))
    HDF5Writer.writeReachingOut(path, to: secret, byLink: true)
    #expect(message(path).contains("labels is a link into another file"))
  }

  @Test func spikesOutOfOrderAreSorted() throws {
    let path = scratch.file("a.h5")
    HDF5Writer.write(path, times: [[0.5, 0.25]], units: [[1, 2]], labels: [0])
    #expect(try SHDFile().read(path)[0] == SpikeTrain(times: [250, 500], units: [2, 1]))
  }

  @Test func wrongContentIsNamed() {
    let path = scratch.file("a.h5")
    HDF5Writer.write(path, times: [[0.5]], units: [[700]], labels: [0])
    #expect(
      message(path)
        == "\(path): spikes/units sample 0, spike 0: unit 700; allowed is 0 to 699 (data.units, --units)"
    )
    HDF5Writer.write(path, times: [[.nan]], units: [[7]], labels: [0])
    #expect(message(path).contains("spikes/times sample 0, spike 0: time nan s; allowed is 0 to"))
    HDF5Writer.write(path, times: [[-0.5]], units: [[7]], labels: [0])
    #expect(message(path).contains("time -0.5 s"))
    HDF5Writer.write(path, times: [[500]], units: [[7]], labels: [0])
    #expect(message(path).contains("time 500.0 s; allowed is 0 to 60.0 s"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7, 8]], labels: [0])
    #expect(message(path).contains("sample 0: 2 units for 1 times"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7]], labels: [0, 1])
    #expect(message(path).contains("labels has 2 entries, but spikes/times has 1"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7]], labels: [0], labelRank: 2)
    #expect(message(path).contains("labels has rank 2, allowed is 1"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7]], labels: [0], timesAsIntegers: true)
    #expect(message(path).contains("spikes/times is not of variable-length floating-point type"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7]], labels: [0], omitting: "labels")
    #expect(message(path) == "\(path): has no dataset labels")
    HDF5Writer.write(path, times: [], units: [], labels: [])
    #expect(message(path).contains("holds no samples"))
    HDF5Writer.write(path, times: [[0.5]], units: [[7]], labels: [0], speakers: [1, 2])
    #expect(message(path).contains("extra/speaker has 2 entries"))
  }

  @Test func damagedFilesAreNamed() throws {
    #expect(message(scratch.file("none.h5")).hasSuffix("no such file"))
    #expect(message(scratch.path).hasSuffix("is a directory, not a file"))
    #expect(message(scratch.write("", to: "e.h5")).contains("is empty"))
    #expect(message(scratch.write("not hdf5 at all", to: "t.h5")).contains("not an HDF5 file"))
    let path = scratch.file("a.h5")
    HDF5Writer.write(
      path, times: Array(repeating: [0.5], count: 50), units: Array(repeating: [7], count: 50),
      labels: Array(repeating: 0, count: 50))
    let bytes = [UInt8](FileManager.default.contents(atPath: path)!)
    for share in [3, 10, 50, 90, 99] {
      let cut = scratch.write(Array(bytes.prefix(bytes.count * share / 100)), to: "cut.h5")
      #expect(message(cut).contains("damaged or truncated"), "\(share) %")
    }
  }

  /// Bytes flipped in the superblock and the first headers give an error or data, never a crash.
  /// (Damage deeper in can crash libhdf5 1.10 itself.)
  @Test func hostileBytes() throws {
    let path = scratch.file("a.h5")
    HDF5Writer.write(
      path, times: [[0.25, 0.5], [0.1]], units: [[1, 2], [3]], labels: [0, 1])
    let bytes = [UInt8](FileManager.default.contents(atPath: path)!)
    var random = Random(seed: 1, "hostile")
    for _ in 0..<60 {
      var broken = bytes
      for _ in 0..<3 { broken[random.index(below: 400)] = UInt8(random.index(below: 256)) }
      let data = try? SHDFile().read(scratch.write(broken, to: "b.h5"))
      if let data { #expect(data.units.allSatisfy { $0 < 700 }) }
    }
  }
}

@Suite struct IDXTests {
  let scratch = ScratchDirectory()

  /// Header and content of an IDX file.
  func idx(_ dimensions: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(dimensions.count)]
      + dimensions.flatMap { size in (0..<4).map { UInt8(size >> (24 - 8 * $0) & 0xFF) } } + values
  }

  func message(images: [UInt8], labels: [UInt8]) -> String {
    let paths = (scratch.write(images, to: "images"), scratch.write(labels, to: "labels"))
    do {
      _ = try IDXImages(duration: 20, step: 1).read(images: paths.0, labels: paths.1)
      return "no error"
    } catch {
      return "\(error)".replacingOccurrences(of: scratch.path + "/", with: "")
    }
  }

  @Test func latencyCode() throws {
    let images = scratch.write(idx([2, 2, 2], [255, 0, 128, 1, 0, 0, 0, 51]), to: "images")
    let labels = scratch.write(idx([2], [1, 0]), to: "labels")
    let data = try IDXImages(duration: 20, step: 1).read(images: images, labels: labels)
    // t = (255 - p)/255 (20 - 4) + 2
    #expect(data[0].units == [0, 2, 3])
    #expect(data[0].times[0] == 2)
    #expect(abs(data[0].times[1] - (127.0 / 255 * 16 + 2)) < 1e-5)
    #expect(abs(data[0].times[2] - (254.0 / 255 * 16 + 2)) < 1e-5)
    #expect(data[1] == SpikeTrain(times: [204.0 / 255 * 16 + 2], units: [3]))
    #expect(data.labels == [1, 0])
    let bright = try IDXImages(duration: 20, step: 1, greyLevel: 60).read(
      images: images, labels: labels)
    #expect(bright[0].units == [0, 2])
    #expect(bright[1].count == 0)
  }

  @Test func hostileFiles() {
    let images = idx([2, 2, 2], Array(repeating: 9, count: 8))
    let labels = idx([2], [1, 0])
    #expect(message(images: images, labels: labels) == "no error")
    #expect(message(images: [], labels: labels).contains("images: is empty"))
    #expect(message(images: [0, 0], labels: labels).contains("has 2 bytes"))
    #expect(
      message(images: labels, labels: images).contains("byte 3: rank 1, but images have rank 3"))
    #expect(message(images: images, labels: idx([3], [1, 0, 1])).contains("has 3 labels, but"))
    #expect(message(images: Array(images.dropLast()), labels: labels).contains("it is truncated"))
    #expect(message(images: images + [1], labels: labels).contains("followed by something else"))
    #expect(
      message(images: idx([2, 2, 2], [], type: 13), labels: labels)
        .contains("magic 0x00000d03 is not an IDX file of unsigned bytes"))
    let huge = [0, 0, 8, 3] + Array(repeating: UInt8(255), count: 12)
    #expect(message(images: huge, labels: labels).contains("too large"))
    #expect(message(images: idx([0, 2, 2], []), labels: idx([0], [])).contains("holds no images"))
    #expect(
      message(
        images: idx([1, 300, 300], Array(repeating: 0, count: 90_000)), labels: idx([1], [0])
      )
      .contains("300 x 300 pixels; allowed are 1 to 65535"))
  }

  @Test func truncatedGzipIsNamed() throws {
    let plain = scratch.write(idx([100, 2, 2], Array(repeating: 7, count: 400)), to: "x")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "gzip -k '\(plain)' && head -c 30 '\(plain).gz' > '\(plain).cut.gz'",
    ]
    try process.run()
    process.waitUntilExit()
    #expect(try IDXFile(plain + ".gz").values.count == 400)
    #expect(throws: FileError.self) { try IDXFile(plain + ".cut.gz") }
  }
}
