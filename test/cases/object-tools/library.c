#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int calls;
extern struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} counts SEC(".maps");

__noinline int step(int x) {
  __u32 key = 2;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (count) *count += 5;
  return x + calls;
}
