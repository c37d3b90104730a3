#include "run.h"

static __attribute__((noinline)) int classify(s64 x) {
  switch (x) {
    case -1: return 1;
    case 0 ... 9: x += 3;
    case 10: return (int)x * 2;
    case 0x100000000: return 5;
    case 11: case 13: case 15:
      if (x == 13) break;
    default:
      x ^= 0x55;
  }
  return (int)(x >> 1);
}

static __attribute__((noinline)) int duff(int n) {
  int total = 0, i = 0;
  switch (n % 4) {
    do {
      case 0: total += i++;
      case 3: total ^= i++ << 2;
      case 2: total += 7;
      case 1: total -= i;
    } while (i < n);
  }
  return total;
}

static int effects;
static int effect(int r) { return effects = effects * 3 + r + 1, r; }

static void run(void) {
  for (s64 x = -3; x < 20; x++) mix(classify(x));
  mix(classify(0x100000000)), mix(classify(0x100000001)), mix(classify(-0x100000000));
  for (int n = 1; n < 12; n++) mix(duff(n));
  for (int i = 0; i < 8; i++) {
    int a = i & 1, b = i >> 1 & 1, c = i >> 2;
    mix((effect(a) && effect(b)) || effect(c));
    mix(effect(a) ? effect(b), 4 : effect(c) ? 5 : 6);
    mix(!(effect(a) || !effect(b)) == (effect(c) & 1));
    mix(effects);
  }
  int i = 0, j = 0;
outer:
  for (; i < 6; i++) {
    for (j = i; j < 9; j++) {
      if (j == 4) continue;
      if ((i ^ j) == 5) goto next;
      if (i * j == 20) break;
      mix(i * 16 + j);
    }
    do {
      if (j-- & 1) continue;
      mix(j);
    } while (j > i);
  }
  return;
next:
  mix(i += 1);
  goto outer;
}
