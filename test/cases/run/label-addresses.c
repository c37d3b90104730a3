/* Labels as values, and jumps to them. */
#include "run.h"

static int step(const u8 *code, u32 length) {
  static const void *const actions[] = {&&stop, &&add, &&twice, &&back};
  int value = HIDE(1);
  for (u32 at = 0; at < 6 && at < length; at++) {
    goto *actions[code[at] & 3];
  add:
    value += 5;
    continue;
  twice:
    value *= 2;
    continue;
  back:
    value -= 1;
  }
stop:
  return value;
}

static int chosen(int which) {
  void *to = which ? &&yes : &&no;
  if (which == 2) to = &&later;
  goto *to;
no:
  return 10;
yes:
  return 20;
later:
  return 30 + (&&yes != &&no);
}

static inline __attribute__((always_inline)) int known(int which) {
  void *places[] = {&&first, &&second};
  goto *places[which];
first:
  return 3;
second:
  return 4;
}

static void run(void) {
  const u8 code[] = {1, 2, 3, 1, 0, 2};
  mix(step(code, sizeof(code)));
  mix(chosen(HIDE(0)));
  mix(chosen(HIDE(1)));
  mix(chosen(HIDE(2)));
  mix(known(0) * 10 + known(1));
}
