// A size in network order, tested for 0 and its bound: the test is of the size, not of what it was swapped from.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct entry {
  __u16 size;
  char bytes[64];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, struct entry);
} entries SEC(".maps");

SEC("xdp") int prog(struct xdp_md *ctx) {
  __u32 key = 1;
  struct entry *found = bpf_map_lookup_elem(&entries, &key);
  if (!found) return XDP_PASS;
  __u32 size = bpf_ntohs(found->size);
  if (size < 1 || size > sizeof(found->bytes)) return XDP_DROP;
  return bpf_xdp_load_bytes(ctx, 4, found->bytes, size) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
