// The length is compared instead of the pointer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (end - data < 14) return XDP_DROP;
  return ((unsigned char *)data)[13] ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
