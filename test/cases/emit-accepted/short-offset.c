// An offset of 16 bits that is limited by a test and joins a constant: what is tested and what is added to the packet
// must be one register.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 wanted;

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u16 offset = ~wanted;
  if (offset >= 127) offset = 127;
  __u16 *place = data + offset;
  if ((void *)(place + 12) > end) return XDP_PASS;
  return place[2];
}
char _license[] SEC("license") = "GPL";
