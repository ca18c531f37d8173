// SPDX-License-Identifier: MIT

/// What jobs on several threads find, each at its own number.
package final class JobResults<Value> {
  private let values: UnsafeMutableBufferPointer<Value>

  package init(_ count: Int, _ value: Value) {
    values = .allocate(capacity: count)
    values.initialize(repeating: value)
  }

  deinit {
    values.deinitialize()
    values.deallocate()
  }

  package subscript(index: Int) -> Value {
    get { values[index] }
    set { values[index] = newValue }
  }
}
