// A signed remainder that is tested against both ends of an array, and a quotient of one of two ways that is cut, then
// limited: the verifier knows nothing of either, so that the upper bounds stay, and what is tested is what is used.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 table[64];

SEC("xdp") int remainder(struct xdp_md *ctx) {
  int at = ctx->ingress_ifindex % 46;
  if (at < 0 || at >= 64) return XDP_DROP;
  table[at] += 1;
  return XDP_PASS;
}

SEC("xdp") int quotient(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u8 *bytes = data;
  if (data + 14 > end) return XDP_DROP;
  __u64 value = bytes[11] ? bytes[11] ^ bytes[3] : (__u32)bytes[0] / ((__u32)bytes[3] | 1);
  __u16 offset = value;
  if (offset >= 63) offset = 63;
  __u64 *word = data + offset;
  if ((void *)(word + 2) > end) return XDP_DROP;
  return word[1] ^ word[0];
}
char _license[] SEC("license") = "GPL";
