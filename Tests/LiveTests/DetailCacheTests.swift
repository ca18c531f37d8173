// SPDX-License-Identifier: MIT

import Synchronization
import Testing

@testable import Live

@Suite struct DetailCacheTests {
  @Test func detailsAreFoundAtMostTwiceASecondAndInAFifthOfTheTime() {
    let clock = Mutex(Duration.zero)
    let time = TimeSource { clock.withLock { $0 } }
    func pass(_ seconds: Double) { clock.withLock { $0 += .seconds(seconds) } }
    var cache = DetailCache(time)
    var found = 0
    func ask(at position: Double, taking seconds: Double = 0) {
      _ = cache.detail(of: 0, at: position) {
        found += 1
        pass(seconds)
        return LaneDetail()
      }
    }
    ask(at: 0)
    ask(at: 0)
    pass(10)
    ask(at: 0)
    #expect(found == 1)
    ask(at: 1, taking: 2)
    #expect(found == 2)
    pass(7.9)
    ask(at: 2)
    #expect(found == 2)
    pass(0.2)
    ask(at: 2)
    #expect(found == 3)
    pass(0.4)
    ask(at: 3)
    #expect(found == 3)
    cache.forget()
    ask(at: 3)
    #expect(found == 4)
  }
}
