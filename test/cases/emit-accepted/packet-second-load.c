// ctx->data is read again after the check; both reads must be one value.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  if ((void *)(long)ctx->data + 14 > (void *)(long)ctx->data_end) return XDP_DROP;
  return ((unsigned char *)(long)ctx->data)[12] == 8 ? XDP_PASS : XDP_TX;
}
char _license[] SEC("license") = "GPL";
