#include "run.h"

/* Copies of loops: every remainder of rounds by copies, with and without another way out. */
static u8 bytes[64];

#define PRAGMA(words) _Pragma(#words)
#define SUM(name, rounds, copies)                                \
  static __attribute__((noinline)) u32 name(u32 stop) {          \
    u32 total = rounds;                                          \
    PRAGMA(unroll copies) for (u32 i = 0; i < rounds; i++) { \
      if (bytes[i] == stop) break;                               \
      total = total * 31 + bytes[i] + i;                         \
    }                                                            \
    return total;                                                \
  }
SUM(zero_of_2, 0, 2)
SUM(one_of_2, 1, 2)
SUM(six_of_2, 6, 2)
SUM(seven_of_2, 7, 2)
SUM(seven_of_3, 7, 3)
SUM(eight_of_3, 8, 3)
SUM(nine_of_3, 9, 3)
SUM(three_of_4, 3, 4)
SUM(four_of_4, 4, 4)
SUM(five_of_4, 5, 4)
SUM(sixty_of_7, 60, 7)

/* Tested at the end, and falling. */
static __attribute__((noinline)) u32 backwards(u32 stop) {
  u32 total = 0, i = 23;
  PRAGMA(unroll 5) do {
    if (bytes[i] == stop) return total;
    total = total * 7 + bytes[i];
  } while (--i > 2);
  return total;
}

/* Small loops with ways out, in a loop. */
static __attribute__((noinline)) u32 find(const char *text, u32 length) {
  for (u32 i = 0; i < 40; i++) {
    u32 j = 0;
    for (; j < 4 && i + j < 64; j++)
      if (bytes[i + j] != (u8)text[j]) break;
    if (j == length) return i;
  }
  return 99;
}

static void run(void) {
  for (u32 i = 0; i < 64; i++) bytes[i] = HIDE(i * 37) >> 1;
  for (u32 at = 0; at < 12; at++) {
    u32 stop = bytes[at * 5 & 63];
    mix(zero_of_2(stop)), mix(one_of_2(stop)), mix(six_of_2(stop)), mix(seven_of_2(stop));
    mix(seven_of_3(stop)), mix(eight_of_3(stop)), mix(nine_of_3(stop)), mix(three_of_4(stop));
    mix(four_of_4(stop)), mix(five_of_4(stop)), mix(sixty_of_7(stop)), mix(backwards(stop));
  }
  mix(six_of_2(256)), mix(seven_of_3(256)), mix(sixty_of_7(256)), mix(backwards(256));
  bytes[30] = 'f', bytes[31] = 'i', bytes[32] = 'n', bytes[33] = 'd';
  mix(find("find", 4)), mix(find("fins", 3)), mix(find("none", 4));
}
