// SPDX-License-Identifier: MIT

// Preloaded into the program by FaultTests: counts the calls that change files, and lets the k-th
// one fail, or kills the process there. FAULT_AT=k FAULT_KIND=kill|error|short FAULT_ERRNO=n;
// FAULT_COUNT names a file for the number of calls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static long at = -1;
static int error_number = ENOSPC;
enum { NONE, KILL, ERROR, SHORT };
static int kind = NONE;

__attribute__((constructor)) static void setup(void) {
  const char *a = getenv("FAULT_AT"), *k = getenv("FAULT_KIND"), *e = getenv("FAULT_ERRNO");
  if (a) at = atol(a);
  if (e) error_number = atoi(e);
  if (k) kind = strcmp(k, "kill") == 0 ? KILL : strcmp(k, "short") == 0 ? SHORT : ERROR;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULT_COUNT");
  if (!path) return;
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  int file = real(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  dprintf(file, "%ld\n", atomic_load(&calls));
  close(file);
}

/// Whether this call is the one: 1 fails it, 2 does half of it.
static int strikes(void) {
  if (atomic_fetch_add(&calls, 1) + 1 != at) return 0;
  if (kind == KILL) kill(getpid(), SIGKILL);
  errno = error_number;
  return kind == SHORT ? 2 : 1;
}

#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t count) {
  REAL(ssize_t, write, int, const void *, size_t);
  if (file <= 2) return real(file, bytes, count);
  struct stat status;
  if (fstat(file, &status) == 0 && !S_ISREG(status.st_mode)) return real(file, bytes, count);
  int strike = strikes();
  if (strike == 2 && count > 1) return real(file, bytes, count / 2);
  return strike ? -1 : real(file, bytes, count);
}
int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  return strikes() ? -1 : real(from, to);
}
int fsync(int file) {
  REAL(int, fsync, int);
  return strikes() ? -1 : real(file);
}
int ftruncate(int file, off_t length) {
  REAL(int, ftruncate, int, off_t);
  return strikes() ? -1 : real(file, length);
}
int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  return strikes() ? -1 : real(path, mode);
}
int unlink(const char *path) {
  REAL(int, unlink, const char *);
  return strikes() ? -1 : real(path);
}
int rmdir(const char *path) {
  REAL(int, rmdir, const char *);
  return strikes() ? -1 : real(path);
}
static int opened(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
  if ((flags & O_CREAT) && strikes()) return -1;
  return real(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened("open", path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened("open64", path, flags, mode);
}
