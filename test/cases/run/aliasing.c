#include "run.h"

/* Memory that is accessed as several types, in the ways that are allowed. */
typedef u32 __attribute__((may_alias)) any32;
union number {
  u64 whole;
  u32 half[2];
  u8 byte[8];
  struct {
    u16 low, high;
  } part;
};
struct __attribute__((may_alias)) pair {
  u32 first, second;
};
static union number shared[4];
static u64 plain[4] = {1, 2, 3, 4};
static u32 other[4];

static __attribute__((noinline)) u32 through(union number *a, union number *b, u32 i) {
  a->whole = 0x1122334455667788ull;
  b->half[i & 1] = 5;
  u32 seen = a->half[0] + (u32)(a->whole >> 32);
  b->part.high = 9;
  return seen + a->half[0];
}
static __attribute__((noinline)) u64 characters(u64 *a, u8 *b, u32 i) {
  *a = 77;
  b[i & 7] = 3;
  return *a;
}
static __attribute__((noinline)) u64 declared(u64 *a, any32 *b, struct pair *c) {
  *a = 7;
  *b = 8;
  u64 seen = *a;
  *a = 9;
  c->second = 10;
  return seen ^ *a;
}
static __attribute__((noinline)) u64 copied(u64 *a, u32 *b) {
  u32 value = 6;
  *a = 7;
  __builtin_memcpy(a, &value, 4);
  *b = 1;
  return *a;
}
static __attribute__((noinline)) u64 different(u64 *a, u32 *b) {
  *a = 70;
  *b = 80;
  return *a + *b;
}

static void run(void) {
  u32 i = HIDE(1u);
  mix(through(&shared[i & 3], &shared[HIDE(1u) & 3], i)), mix(shared[1].whole);
  mix(through(&shared[i & 3], &shared[HIDE(2u) & 3], i + 1)), mix(shared[2].whole);
  mix(characters(&plain[i & 3], (u8 *)&plain[HIDE(1u) & 3], i));
  mix(declared(&plain[i & 3], (any32 *)&plain[HIDE(1u) & 3], (struct pair *)&plain[HIDE(1u) & 3]));
  mix(copied(&plain[(i + 1) & 3], &other[i & 3])), mix(different(&plain[i & 3], &other[i & 3]));
  for (u32 at = 0; at < 4; at++) mix(plain[at]), mix(other[at]), mix(shared[at].whole);
}
