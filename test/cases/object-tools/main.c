#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} counts SEC(".maps");
extern int step(int x);
int calls;

SEC("xdp") int start(struct xdp_md *ctx) {
  __u32 key = 1;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (count) *count += 1;
  calls++;
  return step(40);
}
char license[] SEC("license") = "GPL";
