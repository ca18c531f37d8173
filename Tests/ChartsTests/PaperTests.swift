// SPDX-License-Identifier: MIT

import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import Charts

@Suite struct PaperTests {
  /// Two lines and a band from 0 to 10 ms.
  private func sample() -> PaperFigure {
    let points = (0...10).map { PaperPoint(Double($0), Double($0 * $0)) }
    let line = PaperMark("A sum", .series(0), .line(points), end: "A")
    let other = PaperMark(
      "B max", .series(1), .line([PaperPoint(0, 3), PaperPoint(10, 4)]), end: "B")
    let band = PaperMark.band(
      "range", .series(0), lower: points, upper: points.map { PaperPoint($0.x, $0.y + 5) })
    var figure = PaperFigure(
      x: PaperAxis("time (ms)", 0...10),
      panels: [PaperPanel(y: .covering([0, 105], "loss"), marks: [band, line, other])])
    figure.legend = [PaperLegendEntry("A sum", .series(0)), PaperLegendEntry("B max", .series(1))]
    return figure
  }

  @Test func documentsHaveMillimetresAxesAndLegend() throws {
    let document = try PaperDocument(sample().svg)
    #expect(document.root["width"] == "85mm" && document.root["height"] == "60mm")
    #expect(document.root["viewBox"] == "0 0 240.94 170.08" && document.root["font-size"] == "7")
    for text in ["time (ms)", "loss", "A sum", "B max", "0", "2", "10", "50", "100", "A", "B"] {
      #expect(document.texts.contains(text), "\(text)")
    }
    let lines = document.polylines
    #expect(lines.map(\.points) == [11, 2])
    #expect(lines[0].dash.isEmpty && !lines[1].dash.isEmpty)
    #expect(document.polygons == [22])
  }

  /// Ticks are 1, 2 or 5 times a power of ten, and as many as fit.
  @Test func ticksAreRoundAndApart() {
    for (low, high) in [(0.0, 1.0), (0, 7), (-3, 12), (0.1, 0.13), (0, 2.5e-6), (0, 4e7)] {
      let axis = PaperAxis.covering([low, high], "x")
      #expect(axis.range.lowerBound <= low && axis.range.upperBound >= high)
      for room in [60.0, 120, 400] {
        let ticks = axis.ticks(room: room, font: 7, isUpright: false).ticks
        let places = ticks.compactMap { axis.share($0.value) }
        #expect(places.count == ticks.count && ticks.count >= 2, "\(low) \(high) \(room)")
        for (a, b) in zip(places, places.dropFirst()) { #expect((b - a) * room >= 7) }
      }
    }
    let small = PaperAxis("x", 0...2e-6).ticks(room: 200, font: 7, isUpright: true)
    #expect(small.exponent == -6 && small.ticks.first?.text == "0.0")
    let log = PaperAxis.covering([3e-7, 0.2, 0, -1], "x", isLogarithmic: true)
    #expect(abs(log.range.lowerBound - 2e-7) < 1e-12 && abs(log.range.upperBound - 0.2) < 1e-9)
    let ticks = log.ticks(room: 150, font: 7, isUpright: true).ticks.filter { !$0.text.isEmpty }
    #expect(ticks.map(\.power) == ["−6", "−5", "−4", "−3", "−2", "−1"])
    let near = PaperAxis("x", 0.2...5, isLogarithmic: true).ticks(
      room: 150, font: 7, isUpright: true)
    #expect(near.ticks.map(\.text).filter { !$0.isEmpty } == ["0.2", "0.5", "1", "2", "5"])
    let none = PaperAxis.covering([.nan], "x", isLogarithmic: true)
    #expect(none.range == 0.1...1)
    #expect(PaperAxis.covering([3, 3], "x").range.contains(3))
  }

  /// What is not on the axes is neither drawn nor in the table, and interrupts lines.
  @Test func tablesHoldWhatIsDrawn() throws {
    let points = [
      PaperPoint(0, 1), PaperPoint(1, 2), PaperPoint(2, .nan), PaperPoint(3, 1), PaperPoint(4, 9),
      PaperPoint(5, 1), PaperPoint(6, 1), PaperPoint(7, .infinity),
    ]
    var figure = PaperFigure(
      x: PaperAxis("time (ms)", 0...6),
      panels: [
        PaperPanel(
          y: PaperAxis("share, %", 0...5),
          marks: [
            PaperMark("a, \"b\"", .series(0), .line(points)),
            PaperMark("c", .black(), .ticks([PaperPoint(1, 2), PaperPoint(9, 2)])),
            PaperMark(
              "d", .black(), .bars([PaperSpan(x: 0, xTo: 2, y: 3, yTo: 3)], isFilled: true)),
            PaperMark("e", .gray(), .rule(1)),
          ])
      ])
    let rows = figure.csv.split(separator: "\n").map(String.init)
    #expect(rows[0] == "panel,series,mark,time_ms,y,x_to")
    #expect(rows[1] == "\"share, %\",\"a, \"\"b\"\"\",line,0.0,1.0,")
    #expect(rows.count == 1 + 5 + 1 + 1 + 1)
    #expect(rows[7].hasSuffix("d,bar,0.0,3.0,2.0") && rows[8].hasSuffix("e,rule,1.0,,"))
    let document = try PaperDocument(figure.svg)
    #expect(document.polylines.map(\.points) == [2, 2] && document.circles == 1)
    figure.style.height = 15
    figure.style.font = 20
    #expect(!figure.hasRoom)
  }

  /// Cells are coloured by value; the bar beside them has the unit.
  @Test func heatMapsHaveABar() throws {
    let heat = PaperHeat(
      xs: [1, 2], values: [[0, 4], [2, .nan]], scale: PaperAxis("spikes per trial", 0...4))
    let figure = PaperFigure(
      x: PaperAxis("epoch", 0.5...2.5, isWhole: true),
      panels: [
        PaperPanel(
          y: PaperAxis("neuron", -0.5...1.5, isReversed: true, isWhole: true),
          marks: [PaperMark("hidden1", .black(), .heat(heat))])
      ])
    #expect(
      figure.csv == """
        panel,series,mark,epoch,y,value
        neuron,hidden1,cell,1.0,0.0,0.0
        neuron,hidden1,cell,1.0,1.0,4.0
        neuron,hidden1,cell,2.0,0.0,2.0

        """)
    let document = try PaperDocument(figure.svg)
    #expect(document.texts.contains("spikes per trial") && document.texts.contains("4"))
    #expect(PaperHeat.color(0) == "#ffffff" && PaperHeat.color(1) == "#001028")
    #expect(document.paths == 2)
  }

  /// The legend is where it was asked for, and inside only where nothing lies.
  @Test func legendsKeepClearOfData() {
    var figure = sample()
    for place in PaperLegendPlace.allCases {
      figure.style.legend = place
      let layout = PaperLayout(figure)
      #expect(layout.legend.items.count == (place == .none ? 0 : 2), "\(place)")
      #expect(layout.hasRoom)
      let (box, plot) = (layout.legend.box, layout.plot)
      switch place {
      case .right: #expect(box.x > plot.right && box.right <= layout.width)
      case .below: #expect(box.y > plot.bottom && box.bottom <= layout.height)
      case .inside, .automatic:
        #expect(plot.contains(box.x, box.y) && plot.contains(box.right, box.bottom))
        let covered = figure.samples(layout, panel: 0).contains { box.contains($0.x, $0.y) }
        #expect(!covered)
      case .none: break
      }
    }
    // Data everywhere: automatic goes below.
    let all = (0...40).flatMap { x in (0...40).map { PaperPoint(Double(x) / 4, Double($0) * 3.75) }
    }
    figure.panels[0].marks = [PaperMark("all", .black(), .ticks(all))]
    figure.style.legend = .automatic
    #expect(!PaperLayout(figure).legend.isInside)
    #expect(PaperLayout(figure).legend.items.count == 2)
  }

  /// Names may hold anything: the document is XML, and texts are cut to their room.
  @Test func hostileNamesStayText() throws {
    var figure = sample()
    let name = "a\u{1B}[2J<b>&amp; ]]> \"q\" 'x' \u{FFFF}\u{0} --> "
    let long = name + String(repeating: "long ", count: 100)
    figure.title = long
    figure.x.name = name
    figure.panels[0].y.name = long
    figure.panels[0].marks[1].name = name
    figure.panels[0].marks[1].end = "<"
    figure.legend[0].text = long
    figure.metadata.title = name
    figure.metadata.description = name
    figure.metadata.sources = [name]
    figure.metadata.elements = [.init("run", [("folder", name), ("seed", "1")])]
    let document = try PaperDocument(figure.svg)
    #expect(document.metadata["ep:run"]?["ep:folder"] == "a[2J<b>&amp; ]]> \"q\" 'x'  --> ")
    #expect(document.metadata["ep:run"]?["ep:seed"] == "1")
    #expect(document.texts.contains { $0.hasPrefix("a[2J<b>") && $0.hasSuffix("…") })
    #expect(figure.csv.split(separator: "\n").count == 1 + 11 + 11 + 2)
  }
}

/// What tests read of an SVG document.
final class PaperDocument: NSObject, XMLParserDelegate {
  private(set) var root: [String: String] = [:]
  private(set) var texts: [String] = []
  private(set) var polylines: [(points: Int, dash: String)] = []
  private(set) var polygons: [Int] = []
  private(set) var circles = 0
  private(set) var paths = 0
  /// Attributes by element.
  private(set) var metadata: [String: [String: String]] = [:]
  private var isText = false

  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    func points() -> Int { attributes["points"]?.split(separator: " ").count ?? 0 }
    switch name {
    case "svg": root = attributes
    case "text":
      isText = true
      texts.append("")
    case "polyline": polylines.append((points(), attributes["stroke-dasharray"] ?? ""))
    case "polygon": polygons.append(points())
    case "circle": circles += 1
    case "path": paths += 1
    case _ where name.hasPrefix("ep:"): metadata[name] = attributes
    default: break
    }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    if name == "text" { isText = false }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if isText { texts[texts.count - 1] += string }
  }
}
