/* Base64 of a piece of the packet into a buffer. */
#include "workload.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
char text[512];

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u8 *bytes = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  __u32 at = 0, sum = 0;
  for (int i = 0; i < 125; i++) {
    if ((void *)(bytes + 3) > end || at + 4 > sizeof(text)) break;
    __u32 word = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
    text[at] = alphabet[word >> 18 & 63];
    text[at + 1] = alphabet[word >> 12 & 63];
    text[at + 2] = alphabet[word >> 6 & 63];
    text[at + 3] = alphabet[word & 63];
    sum = sum * 31 + text[at + 3];
    at += 4;
    bytes += 3;
  }
  return sum;
}
