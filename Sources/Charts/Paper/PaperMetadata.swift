// SPDX-License-Identifier: MIT

/// Where a figure comes from: in the SVG as title, description and RDF with Dublin Core; elements
/// that Dublin Core does not have are in the name space `urn:eventprop:figure`.
package struct PaperMetadata: Sendable, Equatable {
  /// A line of what is shown.
  package var title = ""
  /// In whole sentences.
  package var description = ""
  /// The program and its version.
  package var creator = ""
  /// What the numbers are from, such as folders of runs.
  package var sources: [String] = []
  /// Further elements with their attributes; the names are names in XML.
  package var elements: [Element] = []

  /// An element of the program's own.
  package struct Element: Sendable, Equatable {
    package var name: String
    package var fields: [(name: String, value: String)]

    package init(_ name: String, _ fields: [(name: String, value: String)]) {
      (self.name, self.fields) = (name, fields)
    }

    package static func == (a: Element, b: Element) -> Bool {
      a.name == b.name && a.fields.elementsEqual(b.fields) { $0 == $1 }
    }
  }

  package init() {}

  /// The elements that an SVG document begins with.
  var svg: String {
    func element(_ name: String, _ text: String) -> String {
      "<\(name)>\(XMLText.escaped(text))</\(name)>\n"
    }
    var text = element("title", title) + element("desc", description)
    text += """
      <metadata>
      <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" \
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:ep="urn:eventprop:figure">
      <rdf:Description rdf:about="">

      """
    text += element("dc:title", title)
    text += element("dc:description", description)
    text += element("dc:creator", creator)
    text += element("dc:format", "image/svg+xml")
    for source in sources { text += element("dc:source", source) }
    for own in elements {
      let fields = own.fields.map { " ep:\($0.name)=\"\(XMLText.escaped($0.value))\"" }
      text += "<ep:\(own.name)\(fields.joined())/>\n"
    }
    return text + "</rdf:Description>\n</rdf:RDF>\n</metadata>\n"
  }
}
