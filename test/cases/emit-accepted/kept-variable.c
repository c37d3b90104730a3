// Optimised only: static variables that only code which cannot run would change are their initial values. The kernel
// knows nothing of a remainder: the offset is in the packet only because the limit is known.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __u32 limit = 61;
static __u8 shifts[16];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u32 offset = (limit << shifts[ctx->rx_queue_index & 15]) % 15;
  __u16 *place = data + offset;
  if ((void *)(place + 2) > end) return XDP_PASS;
  if (limit > 100) {
    limit -= place[0];
    shifts[place[1] & 15] = 3;
  }
  return place[1];
}
char _license[] SEC("license") = "GPL";
