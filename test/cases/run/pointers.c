/* kernel: invalid mem access 'scalar' */
#include "run.h"

struct inner {
  u8 tag;
  u32 value;
};

static struct inner list[4] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
static struct inner *chosen, **handle = &chosen;
static u64 words[3] = {0x0102030405060708, 2, 3};

/* Pointers in variables: addresses to the machine and the VM, numbers to the kernel's verifier. */
static void run(void) {
  *handle = &list[1];
  chosen->value += 100, (*handle)->tag = 77;
  chosen++, mix(chosen->value), mix(chosen[-1].tag), mix(chosen - list);
  mix(chosen > list), mix(&list[2] == chosen), mix(handle != 0);
  u64 all = 0;
  for (u8 *p = (u8 *)words; p < (u8 *)(words + 1); p++) all = all << 8 | *p;
  mix(all);
}
