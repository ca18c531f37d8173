// SPDX-License-Identifier: MIT

/// `.npy` files by hand.
public enum ArrayBytes {
  /// - Parameters:
  ///   - description: of the type, with its quotes or brackets.
  ///   - shape: without its brackets.
  public static func npy(
    _ description: String, _ shape: String, _ bytes: [UInt8], fortran: Bool = false
  ) -> [UInt8] {
    let header =
      "{'descr': \(description), 'fortran_order': \(fortran ? "True" : "False"), "
      + "'shape': (\(shape)), }\n"
    let length = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(header.utf8) + bytes
  }

  public static func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
}
