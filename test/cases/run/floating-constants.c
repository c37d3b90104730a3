#include "run.h"

/* What can be computed before the program runs, and values that are only moved. */
#define NSEC 1e9
union bits {
  double number;
  u64 whole;
};
struct mixed {
  float narrow;
  double wide;
  int whole;
};
static volatile struct mixed stored = {0.1f, -1.5, 3.75};
static const u32 rounded[] = {2.5, 0.1f + 0.2f == 0.3f, 0x1.8p1, 1e-3 * 5000, (int)-2.9 + 10};
enum { LIMIT = (int)(1.5 * NSEC) };
_Static_assert((u64)(2.0f * 3.25) == 6 && 1.0 / 3 < 0.5, "computed here");
static char space[(int)4.9];

static u64 percent(u64 part) { return part * (u64)(0.35 * 1000) / 1000; }
static __attribute__((noinline)) void keep(double *to, const double *from, float *single) {
  *to = -*from;
  *single = 3.5f;
}

static void run(void) {
  double from = 6.5, to = 0;
  float single = 0;
  keep(&to, &from, &single);
  mix(((union bits){to}).whole), mix(*(u32 *)&single);
  mix(rounded[0]), mix(rounded[1]), mix(rounded[2]), mix(rounded[3]), mix(rounded[4]);
  mix(LIMIT), mix(sizeof(space)), mix(percent(HIDE(200ull)));
  mix(((union bits){stored.wide}).whole), mix(stored.whole);
  mix(((union bits){1e308 * 10}).whole), mix(((union bits){9007199254740993ull}).whole);
  mix(*(u32 *)&(float){(float)0xffffff8000000001ull}), mix(-16777216.0f + -1.0f != -16777216.0f), mix(!0.25), mix(0.0 ? 1 : 2);
  mix((int)(float)0.1 ?: 7), mix(-0.0 == 0.0), mix((_Bool)0.1), mix((u8)200.5), mix(0.5 && 1);
}
