// A quotient that is limited and then counted to: its limit is a test of the quotient, as the verifier follows no
// division. (One that is asked for zero may ask the dividend.)
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 places[16];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u8 *bytes = data;
  if (data + 14 > end) return XDP_DROP;
  __u32 count = bytes[0] / 67;
  if (count > 12) count = 12;
  for (__u32 i = 0; i < count; i++) {
    if (bytes[i] == 7) places[i & 15] = i;
  }
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
