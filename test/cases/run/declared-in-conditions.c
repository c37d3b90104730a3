/* What a condition declares is known in its statement only; lengths that a prototype leaves open. */
#include "run.h"

enum { in = 5 };

static int total(int n, const int values[const *]);
static int total(int n, const int values[const 3]) {
  int all = 0;
  for (int i = 0; i < 3 && i < n; i++) all += values[i];
  return all;
}

static void run(void) {
  const int values[3] = {HIDE(1), 2, 3};
  if (sizeof(enum { in = 1 })) mix(in);
  mix(in);
  if (HIDE(0))
    mix(0);
  else if (sizeof(enum { in = 2 }))
    mix(in);
  mix(in);
  switch (sizeof(enum { in = 3 })) {
    default:
      mix(in);
  }
  mix(in);
  while (sizeof(enum { in = 4 })) {
    mix(in);
    break;
  }
  mix(in);
  do mix(in);
  while (0 * sizeof(enum { in = 6 }));
  mix(in);
  mix(total(HIDE(3), values));
}
