// SPDX-License-Identifier: MIT

/// One event of TensorBoard: what was seen at one step.
struct EventMessage {
  /// What an event says.
  enum Content {
    /// The first event of a file.
    case version
    /// A training goes on here: whoever has read events of this step or a later one forgets them.
    case start
    /// Numbers and histograms of the step.
    case summary([EventValue])
  }

  /// Seconds since 1970.
  var time: Double
  var step = 0
  var content: Content

  /// The message in its record: length, checksum of the length, message, checksum of the message.
  var record: [UInt8] {
    var message = ProtocolBuffer()
    message.put(1, time)
    message.put(2, step)
    switch content {
    case .version: message.put(3, "brain.Event:2".utf8)
    case .start:
      var log = ProtocolBuffer()
      log.put(1, 1)
      message.put(7, log.bytes)
    case .summary(let values):
      var summary = ProtocolBuffer()
      for value in values { summary.put(1, value.message) }
      message.put(5, summary.bytes)
    }
    let length = UInt64(message.bytes.count).littleEndianBytes
    return length + CRC32C.masked(length).littleEndianBytes + message.bytes
      + CRC32C.masked(message.bytes).littleEndianBytes
  }
}

/// A number or a histogram under its tag.
enum EventValue {
  case scalar(String, Double)
  case histogram(String, EventHistogram)

  var message: [UInt8] {
    var value = ProtocolBuffer()
    switch self {
    case .scalar(let tag, let number):
      value.put(1, tag.utf8)
      value.put(2, Float(number))
    case .histogram(let tag, let histogram):
      value.put(1, tag.utf8)
      value.put(5, histogram.message)
    }
    return value.bytes
  }
}

/// Values in equal bins from the least to the largest.
struct EventHistogram {
  var (least, largest) = (0.0, 0.0)
  var (sum, squares) = (0.0, 0.0)
  /// Right edges of the bins.
  var edges: [Double] = []
  var counts: [Double] = []

  /// Those that are finite; nil where there is none.
  init?(_ values: [Double], bins: Int = 30) {
    let values = values.filter(\.isFinite)
    guard let least = values.min(), let largest = values.max() else { return nil }
    (self.least, self.largest) = (least, largest)
    sum = values.reduce(0, +)
    squares = values.reduce(0) { $0 + $1 * $1 }
    let width = (largest - least) / Double(bins)
    guard width > 0, width.isFinite else {
      (edges, counts) = ([largest], [Double(values.count)])
      return
    }
    edges = (1..<bins).map { least + Double($0) * width } + [largest]
    counts = Array(repeating: 0, count: bins)
    for value in values { counts[min(bins - 1, Int((value - least) / width))] += 1 }
  }

  var message: [UInt8] {
    var message = ProtocolBuffer()
    message.put(1, least)
    message.put(2, largest)
    message.put(3, counts.reduce(0, +))
    message.put(4, sum)
    message.put(5, squares)
    message.put(6, edges)
    message.put(7, counts)
    return message.bytes
  }
}
