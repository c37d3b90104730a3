// Optimised only: a remainder that nothing compares is an index of an array and an offset into the packet.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 table[64];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u32 *place = data + ctx->rx_queue_index % 15;
  if ((void *)(place + 1) > end) return XDP_PASS;
  table[ctx->ingress_ifindex % 46] += *place;
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
