// Addresses in the context are copied in the words that the kernel allows, whatever their alignment is.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct tuple {
  __u32 source[4], target[4];
  __u16 ports[2];
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, struct tuple);
  __type(value, struct tuple);
} tuples SEC(".maps");
__u64 sum;

SEC("sockops") int prog(struct bpf_sock_ops *ops) {
  struct tuple tuple = {}, there, *found;
  __builtin_memcpy(tuple.source, ops->remote_ip6, 16);
  __builtin_memcpy(tuple.target, ops->local_ip6, 16);
  found = bpf_map_lookup_elem(&tuples, &tuple);
  if (!found) return 1;
  __builtin_memcpy(found->target, ops->local_ip6, 16);
  __builtin_memcpy(&there, ops->remote_ip6, 16);
  __u64 pair[2];
  __builtin_memcpy(pair, ops->local_ip6, 16);
  sum += pair[0] * 31 + pair[1] + there.source[2];
  return 1;
}
char _license[] SEC("license") = "GPL";
