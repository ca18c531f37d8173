// SPDX-License-Identifier: MIT

import EventPropCore

/// Numbers that each neuron, or each synapse, of a layer has: how presets say them.
extension LaneOptions {
  /// The constants of a layer: each a number, a list of one for each neuron, or a table that says
  /// what they are drawn from, their bounds, and whether they are trained.
  static func readVectors(
    _ section: ConfigReader, _ layer: Layer, _ parameters: [NeuronParameter],
    isSized: Bool = true
  ) throws -> Layer {
    var layer = layer
    let size = isSized ? layer.size : nil
    for parameter in parameters {
      let bound: Bound =
        parameter.allowsZero ? .atLeast(parameter.above) : .above(parameter.above)
      section.mayBeTable(parameter.name)
      switch section.table[parameter.name] {
      case .list?:
        layer[parameter] = PerNeuron(
          try readList(section, parameter.name, size: size, bound))
      case .table?:
        let (learning, values) = try section.section(parameter.name) {
          try readVector($0, parameter, bound, size: size)
        }
        layer[parameter] = values
        if layer.neuron.parameters.contains(parameter) { layer.learning[parameter] = learning }
      default:
        layer[parameter] = PerNeuron(
          try section.number(parameter.name, default: parameter.standard, bound))
      }
    }
    for kind in NeuronTable.all {
      let further = kind.parameters.first {
        !parameters.contains($0) && section.table[$0.name] != nil
      }
      if let further {
        throw section.error(
          further.name,
          "is no constant of neuron = \"\(layer.neuron.name)\"; neuron = \"\(kind.name)\" has it")
      }
    }
    return layer
  }

  private static func readVector(
    _ section: ConfigReader, _ parameter: NeuronParameter, _ bound: Bound, size: Int?
  ) throws -> (Learning?, PerNeuron) {
    let standard = parameter.range
    let least = try section.number("min", default: standard.lowerBound, bound)
    let most = try section.number("max", default: standard.upperBound, .atLeast(least))
    let rate = try readRate(section, default: 0.01)
    let source = section.table["init"] == nil ? nil : "init"
    var (initial, values) = try readBeginning(section, source, size: size, bound)
    if initial == nil && values == nil { values = PerNeuron(parameter.standard) }
    if initial == nil && rate == nil {
      throw section.error(
        "train", "is missing: nothing is drawn or trained here; allowed is a plain number or list")
    }
    let learning = Learning(rate: rate, range: least...most, initial: initial)
    let mean = initial.map { min(max($0.mean, least), most) } ?? parameter.standard
    return (learning, values ?? PerNeuron(mean))
  }

  /// Delays of a projection: a number, or a table as vectors have it.
  static func readDelays(_ section: ConfigReader, _ key: String) throws -> Delays? {
    let delays: Delays?
    section.mayBeTable(key)
    switch section.table[key] {
    case nil:
      section.keep(key)
      delays = nil
    case .table?:
      delays = try section.section(key) { inner in
        let form = try inner.choice(
          "form", default: Delays.Form.synaptic.rawValue, Delays.Form.allCases.map(\.rawValue))
        let rate = try readRate(inner, default: 0.1)
        let source = inner.table["init"] == nil ? nil : "init"
        let (drawn, value) = try readBeginning(inner, source, size: 1, .atLeast(0))
        let initial = drawn ?? .uniform(value?[0] ?? 0, value?[0] ?? 0)
        let longest = try inner.number(
          "max", default: initial.most > 0 ? initial.most : nil, .above(0))
        return Delays(
          Delays.Form(rawValue: form)!, longest: longest, initial: initial, rate: rate)
      }
    default:
      let delay = try section.number(key, default: nil, .above(0))
      delays = Delays(longest: delay, initial: .uniform(delay, delay))
    }
    return delays
  }

  /// `train` and `rate`; nil: not trained.
  private static func readRate(_ section: ConfigReader, default standard: Double) throws
    -> Double?
  {
    let isTrained = try section.boolean("train", default: false)
    let rate = try section.number("rate", default: standard, .atLeast(0))
    return isTrained ? rate : nil
  }

  /// What numbers begin as: a distribution by its name, or `value`, or `values`; here or in `init`,
  /// which may also be a plain number or list.
  private static func readBeginning(
    _ section: ConfigReader, _ source: String?, size: Int?, _ bound: Bound
  ) throws -> (Distribution?, PerNeuron?) {
    guard let source else {
      section.keep("init")
      section.mayBeTable("init")
      return try readBeginning(section, size: size, bound)
    }
    switch section.table[source] {
    case .table?:
      return try section.section(source) { try readBeginning($0, size: size, bound) }
    case .list?:
      return (nil, PerNeuron(try readList(section, source, size: size, bound)))
    default:
      return (nil, PerNeuron(try section.number(source, default: nil, bound)))
    }
  }

  private static func readBeginning(
    _ section: ConfigReader, size: Int?, _ bound: Bound
  ) throws -> (Distribution?, PerNeuron?) {
    var found: (String, Distribution?, PerNeuron?)?
    func find(_ key: String, _ distribution: Distribution?, _ values: PerNeuron?) throws {
      if let found {
        throw section.error(key, "beside \(found.0): allowed is one of them")
      }
      found = (key, distribution, values)
    }
    for entry in Distribution.table {
      guard let pair = try section.list(entry.name, "two numbers", { $0.number }) else { continue }
      guard pair.count == 2, pair.allSatisfy(\.isFinite), entry.allows(pair[0], pair[1]) else {
        throw section.error(entry.name, "allowed are two numbers: \(entry.words)")
      }
      try find(entry.name, entry.make(pair[0], pair[1]), nil)
    }
    if section.table["value"] != nil {
      let value = try section.number("value", default: nil, bound)
      try find("value", nil, PerNeuron(value))
    } else {
      section.keep("value")
    }
    if section.table["values"] != nil {
      try find("values", nil, PerNeuron(try readList(section, "values", size: size, bound)))
    } else {
      section.keep("values")
    }
    return (found?.1, found?.2)
  }

  private static func readList(
    _ section: ConfigReader, _ key: String, size: Int?, _ bound: Bound
  ) throws -> [Double] {
    let values =
      try section.list(key, bound.words) { item in
        item.number.flatMap { bound.contains($0) ? $0 : nil }
      } ?? []
    guard !values.isEmpty, size == nil || values.count == size else {
      throw section.error(
        key,
        "has \(values.count) values; allowed is a number, or a list of \(size ?? 1), one for each neuron"
      )
    }
    return values
  }
}

extension Distribution {
  /// How presets call it.
  struct Entry {
    var name: String
    /// What its two numbers are.
    var words: String
    var allows: @Sendable (Double, Double) -> Bool
    var make: @Sendable (Double, Double) -> Distribution
  }

  static let table = [
    Entry(
      name: "normal", words: "mean and standard deviation", allows: { $1 >= 0 },
      make: { .normal($0, $1) }),
    Entry(
      name: "uniform", words: "the least and the largest", allows: { $0 <= $1 },
      make: { .uniform($0, $1) }),
    Entry(
      name: "gamma", words: "shape and scale, both above 0", allows: { $0 > 0 && $1 > 0 },
      make: { .gamma($0, $1) }),
  ]

  var mean: Double {
    switch self {
    case .normal(let mean, _): mean
    case .uniform(let low, let high): (low + high) / 2
    case .gamma(let shape, let scale): shape * scale
    }
  }

  /// What values stay below but for rare ones.
  var most: Double {
    switch self {
    case .normal(let mean, let sd): mean + 4 * sd
    case .uniform(_, let high): high
    case .gamma(let shape, let scale): (shape + 6 * shape.squareRoot()) * scale
    }
  }
}
