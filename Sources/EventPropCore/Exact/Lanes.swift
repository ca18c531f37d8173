// SPDX-License-Identifier: MIT

/// Zeros for the kernels, for the length of a pass.
final class Lanes<Element: ExpressibleByIntegerLiteral> {
  let base: UnsafeMutablePointer<Element>

  init(_ count: Int) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: 64)
    base = memory.bindMemory(to: Element.self, capacity: count)
    base.initialize(repeating: 0, count: count)
  }

  deinit { base.deallocate() }
}
