// The constant is on the side of the end.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data > end - 20) return XDP_DROP;
  return ((unsigned char *)data)[19] ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
