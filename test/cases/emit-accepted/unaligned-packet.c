// A packed header is read in whole words off the stack, and copied onto it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct header {
  unsigned char kind;
  __u32 id;
  __u64 stamp;
} __attribute__((packed));

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8);
  __type(key, struct header);
  __type(value, __u64);
} map SEC(".maps");

SEC("xdp") int prog(struct xdp_md *ctx) {
  struct header *h = (void *)(long)ctx->data;
  if ((void *)(h + 1) > (void *)(long)ctx->data_end) return XDP_DROP;
  struct header copy = *h;
  copy.id += h->stamp;
  __u64 *v = bpf_map_lookup_elem(&map, &copy);
  return v ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
