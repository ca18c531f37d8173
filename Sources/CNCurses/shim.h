// SPDX-License-Identifier: MIT

// ncurses with what Swift cannot see: macros, variadics and mutable globals.
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#define _XOPEN_SOURCE_EXTENDED 1
#include <curses.h>
#include <locale.h>
#include <term.h>
#undef lines
#undef columns

static inline WINDOW *eventprop_stdscr(void) { return stdscr; }
static inline int eventprop_lines(void) { return LINES; }
static inline int eventprop_columns(void) { return COLS; }
static inline int eventprop_colors(void) { return COLORS; }
static inline attr_t eventprop_bold(void) { return A_BOLD; }
static inline attr_t eventprop_dim(void) { return A_DIM; }
static inline attr_t eventprop_reverse(void) { return A_REVERSE; }
static inline attr_t eventprop_underline(void) { return A_UNDERLINE; }
static inline int eventprop_mouse_on(void) {
  return mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL) != 0;
}
static inline int eventprop_wheel(unsigned long state) {
  return state & BUTTON4_PRESSED ? -1 : state & BUTTON5_PRESSED ? 1 : 0;
}
/// Draws `length` wide characters with one style; the extended pair goes through the pointer.
static inline void eventprop_draw(int y, int x, const wchar_t *text, int length, attr_t attributes,
                                  int pair) {
  wattr_set(stdscr, attributes, (short)0, &pair);
  mvwaddnwstr(stdscr, y, x, text, length);
}
