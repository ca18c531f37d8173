// SPDX-License-Identifier: MIT

/// A message in the wire format of protocol buffers, as it is put together: fields by number.
struct ProtocolBuffer {
  /// The message so far.
  private(set) var bytes: [UInt8] = []

  private enum Kind: UInt64 { case varint = 0, eight = 1, counted = 2, four = 5 }

  private mutating func begin(_ field: Int, _ kind: Kind) {
    varint(UInt64(field) << 3 | kind.rawValue)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// An integer; negative ones take ten bytes.
  mutating func put(_ field: Int, _ value: Int) {
    begin(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func put(_ field: Int, _ value: Double) {
    begin(field, .eight)
    bytes += value.bitPattern.littleEndianBytes
  }

  mutating func put(_ field: Int, _ value: Float) {
    begin(field, .four)
    bytes += value.bitPattern.littleEndianBytes
  }

  /// Text, or a message in this one.
  mutating func put(_ field: Int, _ content: some Collection<UInt8>) {
    begin(field, .counted)
    varint(UInt64(content.count))
    bytes += content
  }

  /// A list, packed.
  mutating func put(_ field: Int, _ values: [Double]) {
    put(field, values.flatMap { $0.bitPattern.littleEndianBytes })
  }
}

/// The fields of a message one after another; ends before what is no field.
struct ProtocolBufferFields: Sequence, IteratorProtocol {
  enum Value {
    case number(UInt64)
    case four(UInt32)
    case counted(ArraySlice<UInt8>)
  }

  private var rest: ArraySlice<UInt8>

  init(_ message: ArraySlice<UInt8>) { rest = message }

  mutating func next() -> (field: Int, value: Value)? {
    guard let key = varint() else { return nil }
    let field = Int(truncatingIfNeeded: key >> 3)
    switch key & 7 {
    case 0: return varint().map { (field, .number($0)) }
    case 1: return take(8).map { (field, .number(UInt64(littleEndian: $0))) }
    case 2:
      guard let count = varint(), count <= UInt64(rest.count) else { return nil }
      return take(Int(count)).map { (field, .counted($0)) }
    case 5: return take(4).map { (field, .four(UInt32(littleEndian: $0))) }
    default: return nil
    }
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for place in 0..<10 {
      guard let byte = rest.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(7 * place)
      if byte < 0x80 { return value }
    }
    return nil
  }
}

extension FixedWidthInteger {
  /// Its bytes, the lowest first.
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }

  /// From its bytes, the lowest first; as many as it has.
  init(littleEndian bytes: ArraySlice<UInt8>) {
    self = bytes.reversed().reduce(0) { $0 << 8 | Self($1) }
  }
}
