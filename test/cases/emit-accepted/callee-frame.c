// Index + address of an array in a callee's frame: for the sum of a number and that address the kernel looks in the program's.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, __u32);
  __type(value, __u64);
} values SEC(".maps");
__u64 seen;

static __noinline int spread(__u32 from, __u32 to) {
  volatile __u8 guard = from;
  __u8 bytes[48] = {1, 2, 3};
  from &= 31;
  to &= 31;
  bytes[from] = 7;
  bytes[to] = bytes[(from * 5) & 31] + guard;
  for (__u32 i = 0; i < 40; i++) seen += bytes[i] * i;
  return bytes[to ^ 1];
}

SEC("tc") int prog(struct __sk_buff *skb) {
  __u64 *at[6];
#pragma unroll
  for (__u32 i = 0; i < 6; i++) {
    __u32 key = skb->mark + i;
    at[i] = bpf_map_lookup_elem(&values, &key);
    if (!at[i]) return 0;
  }
  __u64 sum = spread(skb->len, skb->mark);
  return sum + *at[0] + *at[1] + *at[2] + *at[3] + *at[4] + *at[5];
}
char _license[] SEC("license") = "GPL";
