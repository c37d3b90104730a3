// An index that does not change in a loop and is tested there: what is computed from it for an address stays behind
// the test.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct counts {
  __u64 packets;
  __u32 by_kind[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, struct counts);
} totals SEC(".maps");

SEC("xdp") int prog(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 64 > end) return XDP_PASS;
  __u16 kind = *(__u16 *)(data + 12);
  for (__u32 i = 0; i < 30; i++) {
    __u32 key = data[i] & 63;
    struct counts *found = bpf_map_lookup_elem(&totals, &key);
    if (!found) return XDP_PASS;
    if (found->packets > i) {
      if (kind >= 16) break;
      found->by_kind[kind] += i;
    }
  }
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
