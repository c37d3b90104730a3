#include "run.h"

static u64 values[] = {1, 2, 0x80, 0xffff, 0x80000000, 0xffffffff, 0x100000000, 0x8000000000000001};

static void run(void) {
  int steps = 0, *at = &steps;
  __builtin_prefetch((steps++, at), 0, 0);
  mix(steps);
  for (int i = 0; i < 8; i++) {
    u64 v = values[i];
    mix(__builtin_popcountll(v)), mix(__builtin_clzll(v)), mix(__builtin_ctzll(v));
    mix(__builtin_popcount((u32)v)), mix(__builtin_ffsll(v)), mix(__builtin_parityll(v));
    if ((u32)v != 0) mix(__builtin_clz((u32)v)), mix(__builtin_ctz((u32)v));
    for (int k = 0; k < 8; k++) {
      u64 w = values[k], wide;
      u32 narrow;
      s32 small;
      s64 big;
      mix(__builtin_add_overflow(v, w, &wide)), mix(wide);
      mix(__builtin_sub_overflow((u32)v, (u32)w, &narrow)), mix(narrow);
      mix(__builtin_add_overflow((s32)v, (s32)w, &small)), mix(small);
      mix(__builtin_sub_overflow((s64)v, (s64)w, &big)), mix(big);
      mix(v < w ? v : w), mix((s64)v < (s64)w ? v : w), mix((s32)v < (s32)w), mix((u32)v <= (u32)w);
    }
  }
}
