/* Insertion sort of numbers in a map value, then the median. */
#include "workload.h"

#define COUNT 64

struct samples {
  __u32 values[COUNT];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct samples);
} samples SEC(".maps");

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 key = 0;
  struct samples *all = bpf_map_lookup_elem(&samples, &key);
  if (!all) return 0;
  __u32 random = 99;
  for (int i = 0; i < COUNT; i++) {
    random = random * 1103515245 + 12345;
    all->values[i] = random >> 8;
  }
  for (int i = 1; i < COUNT; i++) {
    __u32 value = all->values[i];
    int at = i;
    for (int step = 0; step < COUNT; step++) {
      if (at < 1 || at >= COUNT) break;
      __u32 before = all->values[at - 1];
      if (before <= value) break;
      all->values[at] = before;
      at--;
    }
    all->values[at & (COUNT - 1)] = value;
  }
  return all->values[COUNT / 2];
}
