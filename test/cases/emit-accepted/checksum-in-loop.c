// A checksum in each of a thousand rounds: with a test for each time that it is folded, the verifier would go five
// ways in every round, and forget the states in which they meet.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __always_inline unsigned short fold(unsigned long long sum) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++)
    if (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

SEC("xdp")
int checksums(struct xdp_md *ctx) {
  unsigned short *data = (void *)(long)ctx->data;
  void *end = (void *)(long)ctx->data_end;
  if ((void *)(data + 40) > end) return XDP_PASS;
  unsigned total = 0, rounds = data[30];
  for (unsigned i = 0; i < rounds && i < 1000; i++) {
    unsigned long long sum = i;
    for (int k = 0; k < 10; k++) sum += __builtin_bswap16(data[k]);
    total += fold(sum);
    data[31] = total;
  }
  return total & 1 ? XDP_TX : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
