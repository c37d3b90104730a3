#include "check.h"
#include "late-definitions.h"

static int checks(void) {
  CHECK(first(HIDE(1)) == 11);
  return 0;
}
