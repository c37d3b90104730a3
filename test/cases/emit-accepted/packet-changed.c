// A helper moves the packet: pointers are read again after it, not before.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 34 > end) return XDP_DROP;
  int first = *(unsigned char *)data;
  if (bpf_xdp_adjust_head(ctx, -8)) return XDP_ABORTED;
  data = (void *)(long)ctx->data;
  end = (void *)(long)ctx->data_end;
  if (data + 8 > end) return XDP_DROP;
  *(__u64 *)data = first;
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
