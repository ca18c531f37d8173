// SPDX-License-Identifier: MIT

// The test program's own malloc. It stands before the C library's, which it calls, and counts the
// calls of each thread. Not for sanitizers, which bring their own: see Package.swift.
#pragma once
#include <stddef.h>

#if defined(__linux__)

extern void *__libc_malloc(size_t size);

__attribute__((weak)) _Thread_local size_t ep_allocations = 0;

__attribute__((visibility("default"))) void *malloc(size_t size) {
  ++ep_allocations;
  return __libc_malloc(size);
}

/// How often this thread has asked for memory so far.
static inline size_t ep_allocation_count(void) {
  // Without a call of it from here, this malloc would be left out of the program.
  static void *(*volatile own)(size_t) = malloc;
  (void)own;
  return ep_allocations;
}

#else

static inline size_t ep_allocation_count(void) { return 0; }

#endif
