/* Records in a variable: a search by key in a sorted table, the best of them by a rule, a copy of it. */
#include "workload.h"

#define COUNT 64

struct record {
  __u32 key;
  __u16 low;
  __u16 high;
  __u8 kind;
  __u8 weight;
  __u16 flags;
  __u64 hits;
};

struct table {
  struct record records[COUNT];
  struct record best;
};

struct table table;

__attribute__((noinline)) int find(__u32 key) {
  __u32 low = 0, high = COUNT;
  for (int i = 0; i < 7 && low < high; i++) {
    __u32 middle = (low + high) / 2;
    if (middle >= COUNT) return -1;
    __u32 there = table.records[middle].key;
    if (there == key) return middle;
    if (there < key) low = middle + 1;
    else high = middle;
  }
  return -1;
}

__attribute__((noinline)) int better(int i, int best) {
  struct record *each = &table.records[i & (COUNT - 1)];
  if (each->kind == 2 || each->low > 50 || each->high < 20) return best;
  return best < 0 || each->weight > table.records[best & (COUNT - 1)].weight ? i : best;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  for (int i = 0; i < COUNT; i++) {
    struct record *each = &table.records[i];
    each->key = i * 3;
    each->low = i;
    each->high = i * 5;
    each->weight = i * 37;
    each->kind = i % 3;
  }
  __u32 sum = 0;
  for (__u32 i = 0; i < 12; i++) sum = sum * 31 + find(i * 15 + (i & 1));
  int best = -1;
  for (int i = 0; i < COUNT; i++) best = better(i, best);
  if (best >= 0 && best < COUNT) {
    table.records[best].hits++;
    table.best = table.records[best];
  }
  return sum + best;
}
