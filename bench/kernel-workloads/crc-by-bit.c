/* CRC-16 of a piece of the packet bit by bit, and Fletcher's sum. */
#include "workload.h"

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u8 *bytes = PACKET_START(ctx);
  void *end = PACKET_END(ctx);
  __u16 crc = 0xffff;
  __u32 a = 1, b = 0;
  for (int i = 0; i < 64; i++) {
    if ((void *)(bytes + i + 1) > end) break;
    crc ^= (__u16)bytes[i] << 8;
    for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16 | a) ^ crc;
}
