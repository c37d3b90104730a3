#include "check.h"

struct node {
  u16 id;
  struct node *next;
  u32 data[3];
};
static struct node second = {2, 0, {4, 5, 6}};
static u32 table[4][3] = {{1, 2, 3}, {4, 5, 6}, [3] = {10, 11, 12}};
static const char *const letters = "letters";
static int counter(void) {
  static int count = 40;
  return ++count;
}
static __attribute__((always_inline)) int apply(int (*fn)(void)) { return fn() + 1; }

struct odd {
  u8 bytes[12];
};

static int checks(void) {
  struct node first = {1, &second, {1, 2, 3}};
  struct node *p = &first;
  CHECK(p->next->id == 2 && p->next->data[HIDE(2)] == 6);
  p->next->data[0]++;
  CHECK(second.data[0] == 5 && *(p->data + HIDE(1)) == 2 && HIDE(1)[p->data] == 2);
  u32(*row)[3] = table;
  row += HIDE(1);
  CHECK((*row)[2] == 6 && row[2][1] == 11 && table[HIDE(2)][0] == 0 && row - table == 1);
  u32 *end = &table[3][3], *at = table[0];
  CHECK(end - at == 12 && at < end && (char *)end - (char *)at == 48);
  u32 sum = 0;
  for (; at != end; at++) sum += *at;
  CHECK(sum == 1 + 2 + 3 + 4 + 5 + 6 + 10 + 11 + 12);
  void *raw = &first;
  CHECK(((struct node *)(raw + HIDE(0)))->id == 1 && (u64)(raw + 3) - (u64)raw == 3);
  struct odd list[5], *from = &list[HIDE(0)], *to = &list[HIDE(4)];
  CHECK(to - from == 4 && from - to == -4);
  CHECK(letters[HIDE(2)] == 't' && "xyz"[HIDE(1)] == 'y');
  CHECK(counter() == 41 && counter() == 42 && apply(counter) == 44);
  u8 buffer[16] = {0};
  *(u32 *)&buffer[HIDE(4)] = 0x01020304;
  *(u64 *)(buffer + 8) = HIDE(0x1122334455667788ull);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  CHECK(buffer[4] == 4 && buffer[8] == 0x88 && buffer[15] == 0x11 && buffer[3] == 0);
#else
  CHECK(buffer[4] == 1 && buffer[8] == 0x11 && buffer[15] == 0x88 && buffer[3] == 0);
#endif
  int cells[3] = {[1] = HIDE(5), 6};
  int *q = cells;
  CHECK(*q++ == 0 && *q == 5 && *++q == 6 && q[-1] == 5 && *--q == 5 && q-- - cells == 1 && !*q);
  CHECK(!(p->next->next) && (p->next ?: p) == &second && p && p != p->next);
  volatile int v = HIDE(3);
  v += v++;
  CHECK(v == 6 || v == 7);
  u64 address = (u64)&cells[1];
  CHECK(*(int *)address == 5 && (int *)(address - 4) == cells);
  char local[] = "a longer text that does not fit in registers, copied from a constant";
  CHECK(sizeof local == 69 && local[HIDE(9)] == 't' && local[68] == 0);
  int matrix[2][2] = {{1}, {HIDE(2), 3}};
  CHECK(matrix[0][1] == 0 && matrix[HIDE(1)][0] == 2);
  return 0;
}
