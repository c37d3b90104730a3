#include "run.h"

static u32 calls;

static u32 count(void) { return ++calls; }

/* What __builtin_constant_p is asked about is never evaluated. */
static void run(void) {
  u16 words[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  u16 *word = words;
  u32 sum = 0;
  for (int i = 0; i < 4; i++) {
    if (!__builtin_constant_p(*word++)) sum += __builtin_bswap16(*word++);
  }
  mix(sum), mix((u64)(word - words));
  mix((u64)__builtin_constant_p(count()));
  mix((u64)__builtin_constant_p(calls += 5));
  mix((u64)__builtin_constant_p(({ u32 x = count(); x; })));
  mix(calls), mix((u64)__builtin_constant_p(3 + 4));
  mix((u64)__builtin_object_size(word++, 0) != 0), mix((u64)(word - words));
}
