#include "run.h"

struct inner {
  u8 tag;
  u32 value;
};
struct outer {
  u16 head;
  struct inner list[3];
  u64 tail;
};

static struct outer first = {1, {{2, 3}, {4, 5}, {6, 7}}, 8};
static struct outer second;
static u32 table[2][3] = {{1, 2, 3}, {4, 5, 6}};
static const char text[] = "packet";

static __attribute__((noinline)) void copy(struct outer *to, const struct outer *from) { *to = *from; }
static __attribute__((noinline)) u32 bump(u32 *a, u16 *b) {
  *a = 1;
  *b = 0x0203;
  return *a;
}

static void run(void) {
  struct outer local = first, other = {.list[1].value = 9};
  copy(&second, &local);
  second.list[0] = second.list[2];
  struct inner *chosen = &second.list[HIDE(1u) & 1], **handle = &chosen;
  chosen->value += 100, (*handle)->tag = 77;
  chosen++, mix(chosen->value), mix(chosen[-1].tag), mix(second.list[1].value);
  for (u32 i = 0; i < 3; i++) {
    local.list[i].value ^= table[i & 1][2 - i] << 4;
    table[i % 2][i] = local.list[2 - i].tag;
    mix(local.list[i].value), mix(other.list[i].value), mix(text[i * 2]), mix(table[1][i]);
  }
  u8 bytes[32] = {};
  __builtin_memset(bytes, 0xa5, 24);
  __builtin_memcpy(bytes + 3, text, 7);
  __builtin_memmove(bytes + 5, bytes + 3, 12);
  __builtin_memmove(bytes + 1, bytes, 8);
  for (int i = 0; i < 32; i++) mix(bytes[HIDE(i) & 31]);
  mix(__builtin_memcmp(bytes + 5, text, 7) == 0), mix(__builtin_memcmp(bytes, bytes + 8, 8) != 0);
  u32 same = HIDE(5u);
  mix(bump(&same, (u16 *)bytes)), mix(same), mix(bytes[0]), mix(sizeof(struct outer));
  volatile u32 v = 3;
  u32 before = v++;
  mix(before), mix(v), mix(v *= v + before), mix(((volatile u8 *)&v)[0]);
  u64 all = 0;
  for (int i = 0; i < 8; i++) all = all << 8 | ((u8 *)&local.tail)[i];
  mix(all), mix(local.head), mix(second.tail);
}
