// SPDX-License-Identifier: MIT

import Foundation

/// Data sets that are published, and where: what `eventprop data get` knows.
public struct PublishedData: Sendable {
  /// One file of it.
  public struct File: Sendable {
    /// Where it is.
    public let url: String
    /// Of the file as it is published, in hexadecimal digits.
    public let md5: String
    /// What it is kept as.
    public let name: String

    init(_ url: String, _ md5: String, name: String? = nil) {
      self.url = url
      self.md5 = md5
      self.name = name ?? (url as NSString).lastPathComponent
    }
  }

  /// What it is called on the command line.
  public let name: String
  /// In the order in which they are got.
  public let files: [File]
  /// For the user, once all are there.
  public let hint: String

  /// All of them.
  public static let all: [PublishedData] = [
    PublishedData(
      name: "shd",
      files: [
        File("https://zenkelab.org/datasets/shd_train.h5.zip", "f3252aeb598ac776c1b526422d90eecb"),
        File("https://zenkelab.org/datasets/shd_test.h5.zip", "1503a5064faa34311c398fb0a1ed0a6f"),
      ], hint: "eventprop train shd --set data.path=FOLDER"),
    PublishedData(
      name: "ssc",
      files: [
        File("https://zenkelab.org/datasets/ssc_train.h5.zip", "d102be95e7144fcc0553d1f45ba94170"),
        File("https://zenkelab.org/datasets/ssc_valid.h5.zip", "b4eee3516a4a90dd0c71a6ac23a8ae43"),
        File("https://zenkelab.org/datasets/ssc_test.h5.zip", "a35ff1e9cffdd02a20eb850c17c37748"),
      ], hint: "eventprop train ssc --set data.path=FOLDER"),
    PublishedData(
      name: "mnist",
      files: images(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        [
          "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
          "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
        ]), hint: "eventprop train latency-mnist --set data.path=FOLDER"),
    PublishedData(
      name: "fashion-mnist",
      files: images(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        [
          "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
          "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
        ]), hint: "eventprop train latency-mnist --set data.path=FOLDER"),
    PublishedData(
      name: "n-mnist",
      files: [
        File(
          "https://www.dropbox.com/sh/tg2ljlbmtzygrag/AABlMOuR15ugeOxMCX0Pvoxga/Train.zip?dl=1",
          "20959b8e626244a1b502305a9e6e2031", name: "Train.zip"),
        File(
          "https://www.dropbox.com/sh/tg2ljlbmtzygrag/AADSKgJ2CjaBWh75HnTNZyhca/Test.zip?dl=1",
          "69ca8762b2fe404d9b9bad1103e97832", name: "Test.zip"),
      ], hint: "data.kind = \"n-mnist\", data.path = \"FOLDER\""),
  ]

  private static func images(_ base: String, _ sums: [String]) -> [File] {
    zip(["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"], sums)
      .map { File(base + "\($0)-ubyte.gz", $1) }
  }

  /// Lays the files of a `.zip` open beside it; they stay below its folder.
  /// - Throws: `FileError` for a damaged one.
  public static func unpack(_ path: String) throws {
    let archive = try ZipArchive(path)
    let folder = (path as NSString).deletingLastPathComponent as NSString
    for name in archive.names where !name.hasSuffix("/") {
      guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
        throw FileError(path, "holds \(name), which would lie elsewhere")
      }
      let target = folder.appendingPathComponent(name)
      do {
        try FileManager.default.createDirectory(
          atPath: (target as NSString).deletingLastPathComponent,
          withIntermediateDirectories: true)
        try Data(archive.contents(name) ?? []).write(
          to: URL(fileURLWithPath: target), options: .atomic)
      } catch let error as FileError {
        throw error
      } catch {
        throw FileError(target, "cannot be written: \(error.localizedDescription)")
      }
    }
  }
}
