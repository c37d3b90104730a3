/* The options of a TCP header, again and again: maximum segment size, window scale, time stamps. */
#include "workload.h"

struct options {
  __u32 time, echo;
  __u16 segment;
  __u8 scale, sack;
};

struct options found;
__u8 header[64];

static __always_inline __u32 word_at(__u32 at) {
  return (__u32)header[at & 63] << 24 | header[at + 1 & 63] << 16 | header[at + 2 & 63] << 8 | header[at + 3 & 63];
}

__attribute__((noinline)) int parse(int limit) {
  __u32 at = 0;
  for (int i = 0; i < 24; i++) {
    if (at >= limit || at > 62) return i;
    __u8 kind = header[at];
    if (kind == 0) return i;
    if (kind == 1) {
      at++;
      continue;
    }
    __u8 length = header[at + 1];
    if (length < 2 || length > 40) return -1;
    switch (kind) {
      case 2:
        found.segment = header[at + 2 & 63] << 8 | header[at + 3 & 63];
        break;
      case 3:
        found.scale = header[at + 2 & 63];
        break;
      case 4:
        found.sack = 1;
        break;
      case 8:
        found.time = word_at(at + 2);
        found.echo = word_at(at + 6);
        break;
    }
    at += length;
  }
  return 24;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  struct ethhdr *eth = PACKET_START(ctx);
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  __u8 *options = (void *)(tcp + 1);
  if ((void *)(options + 40) > PACKET_END(ctx)) return 0;
  for (int i = 0; i < 40; i++) header[i] = options[i];
  __u32 result = 0;
  for (int i = 0; i < 24; i++) {
    int count = parse(tcp->doff * 4 - 20);
    result = result * 31 + found.segment + found.scale + found.time + found.echo + count;
  }
  return result;
}
