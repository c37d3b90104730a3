/* Stack objects whose size is a constant only once functions are inlined and variables known. */
#include "run.h"

#define INLINE static inline __attribute__((always_inline))

INLINE u64 squares(int n, u64 first) {
  u64 values[n], all = sizeof(values) + sizeof values[0];
  for (int i = 0; i < n; i++) values[i] = first + i;
  for (int i = 0; i < n; i++) all = all * 31 + values[i] * values[i];
  return all + (values == &values[0]);
}

INLINE u32 rows(u32 count) {
  struct pair { u16 a, b; } table[count][3];
  u32 all = sizeof(table) * 7 + sizeof(table[0]);
  for (u32 i = 0; i < count; i++)
    for (u32 k = 0; k < 3; k++) table[i][k] = (struct pair){HIDE(i), k};
  for (u32 i = 0; i < count; i++) all = all * 5 + table[i][2].a + table[i][1].b;
  return all;
}

INLINE u8 *ask(unsigned long size) { return __builtin_alloca(size); }

static void run(void) {
  int three = 3;
  u8 text[three * 2 + 1];
  __builtin_memset(text, 7, sizeof text);
  text[three] = HIDE(9);
  for (unsigned i = 0; i < sizeof(text) / sizeof(text[0]); i++) mix(text[i]);
  mix(squares(three, HIDE(5ull)));
  mix(squares(three + 2, HIDE(9ull)));
  mix(rows(2));
#pragma clang loop unroll(disable)
  for (int i = 0; i < 4; i++) {
    u32 again[three];
    again[0] = HIDE(i), again[1] = i * 3, again[2] = i + 1;
    mix(again[HIDE(1u) & 1] + again[2]);
  }
  u8 *p = __builtin_alloca(8), *q = __builtin_alloca_with_align(4, 64);
  p[HIDE(2u) & 7] = 3, q[HIDE(1u) & 3] = 4;
  mix(p[2] + q[1] + (p == q) + (((u64)q & 7) == 0));
}
