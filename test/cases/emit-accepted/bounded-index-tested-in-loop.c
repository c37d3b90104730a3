// An index that has bounds before a loop, but wider ones than the memory, and is tested in the loop: what is computed
// from it for an address stays behind the test.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 last[4];

SEC("xdp") int prog(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 4 > end) return XDP_PASS;
  if (data[3] == 0) return XDP_DROP;
  for (__u8 i = 0; i < 28; i += 2) {
    __u16 kind = data[3] & 121;
    if (kind >= 4) break;
    last[kind] = i + i;
  }
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
