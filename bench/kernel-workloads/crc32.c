/* CRC-32 of the first bytes of a packet, bit by bit. */
#include "workload.h"

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u8 *byte = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  __u32 crc = ~0u;
  for (int i = 0; i < 96; i++) {
    if ((void *)(byte + 1) > end) break;
    crc ^= *byte++;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}
