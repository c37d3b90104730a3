#include "run.h"

static u64 values[] = {0, 1, 0x80, 0x8000, 0x80000000, 0xffffffff, 0x100000000, 0x8000000000000000,
                       0xfedcba9876543210, 0x0123456789abcdef};

static void run(void) {
  for (int i = 0; i < 10; i++) {
    u64 v = values[i];
    for (u32 n = 0; n < 64; n += 9) {
      mix(v << n), mix(v >> n), mix((s64)v >> n), mix((v << n) | (v >> (-n & 63)));
      u32 m = n & 31;
      mix((u32)v << m), mix((u32)v >> m), mix((s32)v >> m), mix((u64)((u32)v << m) >> 3);
      mix((u8)v << (m & 15)), mix((s8)v >> (m & 7)), mix((s16)v >> (m & 15)), mix((u16)v << 4);
    }
    mix((s64)(v << 32) >> 32), mix((s64)(v << 48) >> 48), mix((s64)(v << 56) >> 40);
    mix(v << 32 >> 32), mix(v >> 8 & 0xff), mix((u32)v >> 24), mix((s32)(u32)v << 8 >> 8);
    mix((v & 0xff) << 56 | (v & 0xff00) << 40), mix(__builtin_bswap64(v)), mix(__builtin_bswap32(v));
    mix(__builtin_bswap16(v)), mix((u64)__builtin_bswap32(v) << 16);
  }
}
