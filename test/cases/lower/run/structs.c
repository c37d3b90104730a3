#include "check.h"

struct pair {
  u32 x;
  u16 y;
};
struct wide {
  u64 a, b, c;
};
struct nested {
  struct pair p[3];
  struct wide w;
  char text[5];
};
struct empty {};

static __attribute__((always_inline)) struct wide make(u64 a, struct pair p) {
  struct wide r = {.a = a, .c = p.y};
  p.x = 99;
  r.b = p.x;
  return r;
}
static __attribute__((noinline)) u64 take_pair(struct pair p) { return p.x * 1000 + p.y; }
static __attribute__((noinline)) u64 take_wide(struct wide *w) { return w->a + w->b + w->c; }
static __attribute__((always_inline)) int six(int a, int b, int c, int d, int e, int f) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}
static struct pair global_pair = {7, 8};
static struct nested global_nested = {.p[1] = {3, 4}, .text = "abcd", .w.b = 6};
static const struct wide constants[2] = {{1, 2, 3}, {4, 5, 6}};

static struct pair swap(struct pair p) { return (struct pair){p.y, p.x}; }

static int checks(void) {
  struct pair p = {HIDE(1u), HIDE(2)};
  struct wide w = make(HIDE(5ull), p);
  CHECK(w.a == 5 && w.b == 99 && w.c == 2 && p.x == 1);
  CHECK(take_pair(p) == 1002 && take_pair(global_pair) == 7008);
  CHECK(take_wide(&w) == 106);
  CHECK(make(1, (struct pair){3, 4}).c == 4);
  struct pair q = p, r;
  r = q = swap(p);
  CHECK(r.x == 2 && r.y == 1 && q.x == 2);
  p = swap(p);
  CHECK(p.x == 2 && p.y == 1);
  struct nested n = global_nested, *np = &n;
  np->p[0] = global_pair;
  np->p[HIDE(2)] = (struct pair){HIDE(11u), 12};
  CHECK(n.p[0].y == 8 && n.p[1].x == 3 && n.p[2].x == 11 && n.w.b == 6 && n.w.a == 0);
  CHECK(n.text[0] == 'a' && n.text[3] == 'd' && n.text[4] == 0);
  CHECK(global_nested.p[2].x == 0);
  CHECK((HIDE(1) ? p : q).x == 2);
  CHECK(constants[HIDE(1)].b == 5);
  CHECK(six(HIDE(1), 1, 1, 1, 1, 1) == 21);
  struct empty e1 = {}, e2 = e1;
  (void)e2;
  CHECK(sizeof e1 == 0);
  struct {
    int kind;
    union {
      u32 word;
      u8 bytes[4];
      struct {
        u16 low, high;
      };
    };
  } u = {1, {HIDE(0x01020304u)}};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  CHECK(u.bytes[0] == 4 && u.high == 0x0102);
#else
  CHECK(u.bytes[0] == 1 && u.high == 0x0304);
#endif
  struct wide *wp = ({
    struct wide *inner = &w;
    inner->a++;
    inner;
  });
  CHECK(wp->a == 6);
  CHECK(({ struct pair t = {5, HIDE(6)}; t; }).y == 6);
  return 0;
}
