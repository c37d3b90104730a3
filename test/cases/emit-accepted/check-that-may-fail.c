#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/*
 * A check whose failure is not the end: the packet is used on either way. Where it failed the verifier
 * calls the compared sum a pointer beyond the packet, so that nothing may be counted from it.
 */
unsigned int large;

SEC("xdp") int check_that_may_fail(struct xdp_md *ctx) {
  unsigned char *data = (void *)(long)ctx->data;
  void *end = (void *)(long)ctx->data_end;
  if (data + 64 > end) return XDP_DROP;
  if (data + 1515 > end) large += 1;
  data[20] = 1;
  return data[55] == 7 ? XDP_PASS : XDP_DROP;
}

char license[] SEC("license") = "GPL";
