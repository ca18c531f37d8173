/// What is wrong with a file of a run or a case: which file, what, and what is allowed.
public struct RunError: Error, CustomStringConvertible, Equatable {
  public var file: String
  public var message: String

  public init(_ file: String, _ message: String) {
    self.file = file
    self.message = message
  }

  public var description: String { "\(file): \(message)" }
}
