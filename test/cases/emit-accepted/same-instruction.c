// Two ways load alike from pointers of different kinds; their code must not be shared.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, __u64);
} map SEC(".maps");

SEC("tc") int prog(struct __sk_buff *skb) {
  __u32 key = 0, result;
  if (skb->len > 100) {
    result = skb->mark;
  } else {
    struct __sk_buff *value = bpf_map_lookup_elem(&map, &key);
    if (!value) return 0;
    result = *(__u32 *)((char *)value + 4);
  }
  struct bpf_sock *sk = skb->sk;
  if (sk) result += sk->family;
  return result & 1;
}
char _license[] SEC("license") = "GPL";
