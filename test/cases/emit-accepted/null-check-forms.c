// Every way to ask for null must end in a comparison of that very register with 0.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, __u64);
} map SEC(".maps");

static __u64 *find(__u32 key) {
  return bpf_map_lookup_elem(&map, &key);
}

SEC("tc") int prog(struct __sk_buff *skb) {
  __u64 *a = find(1), *b = find(2), *c = find(3);
  void *nothing = (void *)0;
  __u64 sum = 0;
  if (a != nothing) sum += *a;
  if (!!b) sum += *b;
  if (!c) return sum & 1;
  if (a && b) *a = *b;
  return (sum + *c) & 1;
}
char _license[] SEC("license") = "GPL";
