#include "check.h"
#include "late-definitions.h"

static int checks(void) {
  CHECK(first(HIDE(1)) == 11);
  CHECK(by_colour(HIDE(7), BLUE) == 7);
  CHECK(late() == 3);
  return 0;
}
