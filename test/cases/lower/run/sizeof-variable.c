#include "check.h"

static inline int offset(int at) {
  (void)sizeof(char[1 - 2 * !!(at > 64)]);
  return at;
}

static int checks(void) {
  int n = HIDE(5);
  CHECK(sizeof(char[n]) == 5);
  CHECK(sizeof(int[n][3]) == 60);
  CHECK(sizeof(char(*)[n]) == 8);
  CHECK(offset(HIDE(3)) == 3);
  return 0;
}
