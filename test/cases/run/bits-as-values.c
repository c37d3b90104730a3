#include "run.h"

/* Single bits as 0 and 1, of every width and at both ends, set and not set. */
#define BITS(name, type)                                                       \
  static __attribute__((noinline)) u64 name(type x) {                          \
    const int top = sizeof(type) * 8 - 1;                                      \
    u64 low = (x & 1) != 0, third = (x & 8) != 0, upper = (x & (type)((type)1 << top)) != 0; \
    u64 no_low = (x & 1) == 0, no_third = (x & 8) == 0;                        \
    u64 no_upper = (x & (type)((type)1 << top)) == 0;                          \
    u64 below = (x & (type)((type)1 << (top - 1))) == 0;                       \
    return low | third << 1 | upper << 2 | no_low << 3 | no_third << 4 | no_upper << 5 | below << 6; \
  }
BITS(of_s8, s8)
BITS(of_u8, u8)
BITS(of_s16, s16)
BITS(of_u16, u16)
BITS(of_s32, s32)
BITS(of_u32, u32)
BITS(of_s64, s64)
BITS(of_u64, u64)

/* Half of 64 bits, and a test that is branched on too. */
static __attribute__((noinline)) u32 halves(u64 x) {
  u32 high = (x & (1ull << 32)) != 0, low = (x & (1ull << 31)) != 0;
  u32 both = (x & 16) != 0;
  if (both) high += x >> 60;
  return high * 100 + low * 10 + both;
}

/* Text that is counted while it is compiled, and what is set element by element. */
static __attribute__((noinline)) u32 texts(u32 at) {
  static const char text[] = "a line of text";
  const char *end = text;
  u32 length = 0;
  at &= 15;
  u16 filled[30];
  u8 bytes[24];
  while (*end++) length++;
  for (u32 i = 0; i < 30; i++) filled[i] = 0x1234;
  for (int i = 23; i >= 0; i--) bytes[i] = 7;
  for (u32 i = 0; text[i]; i++) bytes[i] = text[i];
  filled[at] = bytes[at] + length;
  return filled[0] + filled[29] + filled[at + 1] * 3 + bytes[23 - at] + bytes[at >> 1];
}

static void run(void) {
  for (u32 i = 0; i < 9; i++) {
    u64 x = HIDE(0x9e3779b97f4a7c15ull) * (i + 1) ^ (i << 3);
    mix(of_s8(x)), mix(of_u8(x)), mix(of_s16(x)), mix(of_u16(x));
    mix(of_s32(x)), mix(of_u32(x)), mix(of_s64(x)), mix(of_u64(x));
    mix(halves(x)), mix(texts(x % 24));
  }
}
