// A remainder that is masked, and one that is tested: the verifier knows nothing of a remainder, so that both stay.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 table[16];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 14 > end) return XDP_PASS;
  __u8 *bytes = data;
  __u32 at = bytes[0] % 13, quotient = 7 / (bytes[1] | 1);
  table[at & 15] += 1;
  table[quotient & 15] += 1;
  __u32 offset = *(__u16 *)(data + 12) % 100;
  if (offset > 127) return XDP_PASS;
  __u32 *place = data + offset;
  if ((void *)(place + 1) > end) return XDP_PASS;
  return *place & 3;
}
char _license[] SEC("license") = "GPL";
