/* kernel: invalid mem access 'scalar' */
#include "run.h"

struct four {
  u16 a;
  u32 b, c, d;
};

static struct four source = {1, 2, 3, 4};
static volatile struct four target;
static volatile struct four *pointer = &target;

static __attribute__((always_inline)) u32 put(struct four own, u32 b) {
  own.b = b;
  *pointer = own;
  own = own;
  return own.d;
}

static void run(void) {
  pointer = &target;
  mix(put(source, HIDE(5u)));
  mix(target.a), mix(target.b), mix(target.c), mix(target.d);
  struct four back = {9, 9, 9, 9};
  target.c = 77;
  back = *pointer;
  mix(back.a), mix(back.b), mix(back.c), mix(back.d);
  u64 counter = HIDE(3ull);
  __sync_fetch_and_add(&counter, 4);
  mix(counter);
}
