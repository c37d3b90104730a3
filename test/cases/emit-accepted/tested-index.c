// Optimised only: an index that a test has bounded since it was used first, less or more a constant.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bytes {
  unsigned char at[256];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct bytes);
} map SEC(".maps");

SEC("xdp") int of_map(struct xdp_md *ctx) {
  __u32 key = 0;
  struct bytes *b = bpf_map_lookup_elem(&map, &key);
  if (!b) return XDP_DROP;
  __u32 x = b->at[0];
  __u32 sum = b->at[x];
  if (x > 2) sum += b->at[x - 3];
  if (x > 5) sum += b->at[x - 6];
  if (x < 100) sum += b->at[x + 100];
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int of_records(struct xdp_md *ctx) {
  __u32 key = 0;
  struct bytes *b = bpf_map_lookup_elem(&map, &key);
  if (!b) return XDP_DROP;
  __u32 n = b->at[0];
  if (n > 8) return XDP_DROP;
  __u32 sum = 0;
#pragma unroll
  for (__u32 i = 0; i < 8; i++)
    if (i < n) sum += b->at[(n - 1 - i) * 16];
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int of_stack(struct xdp_md *ctx) {
  unsigned char at[64];
  for (int i = 0; i < 64; i++) at[i] = ctx->ingress_ifindex + i;
  __u32 x = ctx->rx_queue_index & 63;
  __u32 sum = at[x];
  if (x > 2) sum += at[x - 3];
  if (x < 40) sum += at[x + 16];
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int of_packet(struct xdp_md *ctx) {
  unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 2 > end) return XDP_DROP;
  __u32 x = data[0] & 15;
  if (x < 3) return XDP_DROP;
  unsigned char *p = data + (x - 3);
  if (p + 4 > end) return XDP_DROP;
  return p[0] & 1 ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
