#include "run.h"

#pragma pack(push, 1)
struct packed {
  s8 a;
  u32 b : 7;
  s32 c : 13;
  u32 : 0;
  u64 d;
  s64 e : 41;
  volatile u32 f : 3;
  u16 g;
};
#pragma pack(pop)
struct plain {
  s32 a : 1;
  u32 b : 31;
  s16 c : 9;
  u8 d : 2;
  u8 e;
  _Bool f : 1;
  s64 g : 63;
};
union both {
  struct packed p;
  struct plain q;
  u64 words[4];
  u8 bytes[32];
};

static union both g[2] = {{.p = {1, 2, 3, 4, 5, 6, 7}}, {.q = {-1, 2, -3, 1, 5, 1, -7}}};

static __attribute__((noinline)) void dump(const union both *u) {
  for (int i = 0; i < 4; i++) mix(u->words[i]);
}

static void run(void) {
  union both local = g[0];
  struct packed *pointer = &g[HIDE(1u) & 1].p;
  for (int i = 0; i < 20; i++) {
    struct packed *p = i & 1 ? &local.p : pointer;
    p->b += 11;
    p->c = p->c * 3 - p->b;
    p->d = p->d << 5 ^ p->e;
    p->e -= p->d + i;
    p->f++;
    mix(p->c), mix(p->e), mix(p->f--), mix(--p->b), mix(p->c ^= 0x555), mix(p->g = p->c);
    if (i % 5 == 0) dump(&local), dump(g), dump(g + 1);
    g[0].q.a = i, g[0].q.b ^= (u32)i << 20, g[0].q.c -= i * 7, g[0].q.d |= i;
    g[0].q.f ^= i & 2, g[0].q.g += (s64)i << 55;
    mix(g[0].q.a), mix(g[0].q.b), mix(g[0].q.c), mix(g[0].q.d), mix(g[0].q.f), mix(g[0].q.g);
    mix(g[0].q.a < 0), mix(g[0].q.b > g[0].q.c), mix(g[0].q.g >> 3), mix(~g[0].q.d);
  }
  dump(&local), dump(g), dump(g + 1);
}
