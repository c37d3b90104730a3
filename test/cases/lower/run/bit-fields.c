#include "check.h"

struct mixed {
  u32 a : 3, b : 7;
  s32 c : 5;
  u8 d;
  u64 e : 40;
  s64 f : 20;
  _Bool g : 1;
  enum { none, one, two } h : 2;
};
struct __attribute__((packed)) dense {
  u8 a;
  u32 b : 20;
  u8 c : 3;
  u64 d : 37;
  u64 e : 64;
  u16 f;
};
struct neighbours {
  char before;
  u32 field : 20;
  char after;
};
union view {
  struct {
    u32 low : 12, high : 20;
  };
  u32 whole;
};

static __attribute__((noinline)) void fill(struct mixed *m, u64 v) {
  m->a = v;
  m->b = v >> 3;
  m->c = v;
  m->d = v;
  m->e = v * 0x10001;
  m->f = -(s64)v;
  m->g = v;
  m->h = two;
}

static __attribute__((noinline)) u64 dense_sum(struct dense *p) {
  return p->a + p->b + p->c + (u64)p->d + p->e + p->f;
}

static int checks(void) {
  struct mixed m = {0};
  fill(&m, HIDE(0xabcdull));
  CHECK(m.a == 5 && m.b == 0x79 && m.c == 13 && m.d == 0xcd);
  CHECK(m.e == 0xabcdabcd && m.f == -0xabcd && m.g == 1 && m.h == two);
  m.c = HIDE(31);
  CHECK(m.c == -1);
  CHECK((m.c = HIDE(17)) == -15);
  CHECK((m.a += 4) == 1);
  CHECK(m.b-- == 0x79 && m.b == 0x78);
  CHECK(--m.f == -0xabce);
  CHECK(m.a - 6 < 0);
  struct dense d = {.a = 0xff, .b = 0xfffff, .c = 5, .d = 0x1fffffffff, .e = 3, .f = 9};
  CHECK(sizeof d == 19);
  CHECK(dense_sum(&d) == 0xffull + 0xfffff + 5 + 0x1fffffffff + 3 + 9);
  d.d = HIDE(0x123456789ull);
  d.b = HIDE(0x54321u);
  CHECK(d.a == 0xff && d.b == 0x54321 && d.c == 5 && d.d == 0x123456789 && d.e == 3 && d.f == 9);
  d.e = ~0ull - opaque_zero;
  CHECK(d.d == 0x123456789 && d.e == ~0ull && d.f == 9);
  struct neighbours n = {1, HIDE(0xfffffu), 2};
  n.field = HIDE(0x12345u);
  CHECK(n.before == 1 && n.field == 0x12345 && n.after == 2);
  union view v = {.whole = HIDE(0x12345678u)};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  CHECK(v.low == 0x678 && v.high == 0x12345);
  v.low = 1;
  CHECK(v.whole == 0x12345001);
#else
  CHECK(v.low == 0x123 && v.high == 0x45678);
  v.low = 1;
  CHECK(v.whole == 0x00145678);
#endif
  struct {
    volatile u16 x : 9;
    volatile s16 y : 7;
  } w = {HIDE(511), HIDE(-64)};
  CHECK(w.x == 511 && w.y == -64 && w.x + w.y == 447);
  return 0;
}
