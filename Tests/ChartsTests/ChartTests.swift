// SPDX-License-Identifier: MIT

import Testing

@testable import Charts

@Suite struct CanvasTests {
  @Test func brailleDotsAddUp() {
    var canvas = Canvas(width: 2, height: 1)
    canvas.dot(x: 0.25, y: 0.1, ink: .text)
    canvas.dot(x: 0.75, y: 0.9, ink: .text)
    #expect(canvas.plainText == "⢁")
    for y in 0..<4 {
      for x in 0..<2 { canvas.dot(x: 1.25 + 0.5 * Double(x), y: Double(y) / 4 + 0.1, ink: .text) }
    }
    #expect(canvas.plainText == "⢁⣿")
  }

  @Test func outsideIsClipped() {
    var canvas = Canvas(width: 3, height: 2)
    canvas.text("abcdef", x: 1, y: 0)
    canvas.text("x", x: -1, y: 5)
    canvas.dot(x: -0.1, y: 0, ink: .text)
    canvas.dot(x: 3, y: 2, ink: .text)
    canvas.line(from: (-5, -5), to: (.infinity, 3), ink: .text)
    canvas.frame(x: 0, y: 0, width: 1, height: 1, title: "t", style: .plain)
    #expect(canvas.plainText == " ab\n")
  }

  @Test func plotsReachTheEdges() {
    var canvas = Canvas(width: 10, height: 5)
    canvas.plot(
      [Curve([(0, 0), (1, 1)], ink: .text)], x: 0...1, y: 0...1,
      in: Area(x: 0, y: 0, width: 10, height: 5))
    #expect(canvas[0, 4].glyph != " ")
    #expect(canvas[9, 0].glyph != " ")
    #expect(canvas[0, 0].glyph == " ")
  }

  @Test func ticksAreRound() {
    #expect(Ticks.step(0.7) == 1)
    #expect(Ticks.step(13) == 20)
    #expect(abs(Ticks.step(0.0021) - 0.005) < 1e-12)
    #expect(Text.short(0.4123) == "0.412")
    #expect(Text.short(12.34) == "12.3")
    #expect(Text.short(3.2e-5) == "3.2e-05")
    #expect(Text.short(.nan) == "nan")
  }

  @Test func timeAxisLabelsDoNotOverlap() {
    for width in 8...60 {
      var canvas = Canvas(width: width, height: 1)
      canvas.timeAxis(0...1000, unit: "ms", in: Area(x: 0, y: 0, width: width, height: 1))
      let text = canvas.plainText
      #expect(text.hasSuffix("ms"))
      for part in text.dropLast(2).split(separator: " ") {
        #expect(Int(part).map { $0 % 50 == 0 } ?? false, "\(text)")
      }
    }
  }
}
