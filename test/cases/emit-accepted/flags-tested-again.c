// Optimised only: Flags, each tested by itself, of a number that is compared behind all of them, and tested in each round of a loop.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct counts {
  __u32 flags, count[20];
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, struct counts);
} counts SEC(".maps");

#define COUNT(n) if (flags & (1 << n)) c->count[n]++;

SEC("tc") int compared(struct __sk_buff *skb) {
  __u32 key = skb->hash, flags = skb->mark;
  struct counts *c = bpf_map_lookup_elem(&counts, &key);
  if (!c) return 0;
  COUNT(0) COUNT(1) COUNT(2) COUNT(3) COUNT(4) COUNT(5) COUNT(6) COUNT(7) COUNT(8) COUNT(9)
  COUNT(10) COUNT(11) COUNT(12) COUNT(13) COUNT(14) COUNT(15) COUNT(16) COUNT(17)
  if (flags == 3) return 5;
  if (flags & 8) return 4;
  return flags > 0x123;
}

SEC("tc") int in_rounds(struct __sk_buff *skb) {
  __u32 key = skb->hash, flags = skb->mark;
  struct counts *c = bpf_map_lookup_elem(&counts, &key);
  if (!c) return 0;
  for (int i = 0; i < 40; i++) {
    if (skb->len < i) break;
    COUNT(0) COUNT(1) COUNT(2) COUNT(3) COUNT(4) COUNT(5) COUNT(6) COUNT(7) COUNT(8) COUNT(9)
  }
  return 0;
}

char _license[] SEC("license") = "GPL";
