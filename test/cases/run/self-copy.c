#include "run.h"

struct three {
  u16 a;
  u32 b, c;
};

static struct three g = {1, 2, 3};
static struct three *pointer = &g;

static void run(void) {
  struct three local = {(u16)HIDE(4), 5, 6}, *own = &local;
  g.c = (u32)HIDE(7u);
  *pointer = g;
  mix(g.a), mix(g.b), mix(g.c);
  g.b = (u32)HIDE(8u);
  g = g;
  mix(g.a), mix(g.b), mix(g.c);
  local.b = (u32)HIDE(9u);
  local = local;
  *own = local;
  mix(own->a), mix(local.b), mix(own->c);
}
