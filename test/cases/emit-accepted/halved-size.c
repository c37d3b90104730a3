// A size that is half of what was loaded, limited and not zero: that is asked of the size and not of what it is half of.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, text[16] = {};
  if (data + 14 > end) return XDP_PASS;
  __u32 size = data[3] >> 1;
  if (size > 16) size = 16;
  if (size == 0) return XDP_PASS;
  if (bpf_xdp_load_bytes(ctx, data[4] & 63, text, size)) return XDP_DROP;
  return text[2] & 3;
}
char _license[] SEC("license") = "GPL";
