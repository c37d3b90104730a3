// Optimised only: counts rounds that fulfil a condition in a map value: known numbers, were they carried in registers.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct found {
  __u64 most;
  __u32 count, best;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct found);
} results SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u64);
  __type(value, __u64);
} values SEC(".maps");

SEC("tc") int prog(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct found *found = bpf_map_lookup_elem(&results, &zero);
  if (!found) return 0;
  found->best = 0;
  found->count = 0;
  for (__u32 i = 0; i < 48; i++) {
    __u64 key = (__u64)skb->hash * i;
    __u64 *value = bpf_map_lookup_elem(&values, &key);
    if (!value) continue;
    if (*value > found->most) {
      found->most = *value;
      found->best = i;
    }
    found->count += 1;
  }
  if (found->best > 20) return 1;
  if (found->count == 3) return 2;
  return found->best ? found->count : 0;
}
__u32 hits, misses, run, last;

SEC("tc") int in_variables(struct __sk_buff *skb) {
  hits = misses = run = last = 0;
  for (__u32 i = 0; i < 64; i++) {
    __u64 key = (__u64)skb->hash * (i + 1);
    __u64 *value = bpf_map_lookup_elem(&values, &key);
    if (value) {
      hits++;
      if (last + 1 == i) run++;
      last = i;
      if (*value == 3) break;
    } else {
      misses++;
    }
    if (misses > 40) break;
  }
  if (hits > misses) return 1;
  return run > 4;
}

char _license[] SEC("license") = "GPL";
