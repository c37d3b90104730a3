// Optimised only: the retry ends for a compiler that sees the offset it has just set past a counter of another type.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, __u32);
  __type(value, __u64);
} offsets SEC(".maps"), counters SEC(".maps");
int count, last;

static int allocate(int *offset, __u64 *objects, int size) {
  if (*offset == 0) {
  refill:
    *offset = 4088;
    *objects = 0;
  }
  int left = *offset - size;
  if (left < 0) goto refill;
  ++*objects;
  *offset = left;
  return left;
}

SEC("tc") int prog(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  int *offset = bpf_map_lookup_elem(&offsets, &key);
  __u64 *objects = bpf_map_lookup_elem(&counters, &key);
  if (!offset || !objects) return 0;
  for (int i = 0; i < count && i < 20; i++) last = allocate(offset, objects, 24);
  return 0;
}
char _license[] SEC("license") = "GPL";
