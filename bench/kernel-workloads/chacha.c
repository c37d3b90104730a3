/* Rounds of ChaCha20 on a block of sixteen words: more values than registers. */
#include "workload.h"

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

#define QUARTER(a, b, c, d) \
  a += b;                   \
  d = ROTATE(d ^ a, 16);    \
  c += d;                   \
  b = ROTATE(b ^ c, 12);    \
  a += b;                   \
  d = ROTATE(d ^ a, 8);     \
  c += d;                   \
  b = ROTATE(b ^ c, 7);

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 x[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11};
  x[12] = ctx->data_end - ctx->data;
  for (int i = 0; i < 20; i++) {
    QUARTER(x[0], x[4], x[8], x[12])
    QUARTER(x[1], x[5], x[9], x[13])
    QUARTER(x[2], x[6], x[10], x[14])
    QUARTER(x[3], x[7], x[11], x[15])
    QUARTER(x[0], x[5], x[10], x[15])
    QUARTER(x[1], x[6], x[11], x[12])
    QUARTER(x[2], x[7], x[8], x[13])
    QUARTER(x[3], x[4], x[9], x[14])
  }
  __u32 sum = 0;
  for (int i = 0; i < 16; i++) sum = sum * 31 + x[i];
  return sum;
}
