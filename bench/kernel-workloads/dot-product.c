/* A layer of a small neural network over the packet's bytes: which of eight outputs is largest. */
#include "workload.h"

#define INPUTS 16
#define OUTPUTS 8

__s16 weights[OUTPUTS][INPUTS];
__s32 bias[OUTPUTS];

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u8 *input = PACKET_START(ctx);
  if ((void *)(input + 64) > PACKET_END(ctx)) return 0;
  for (int i = 0; i < OUTPUTS; i++)
    for (int j = 0; j < INPUTS; j++) weights[i][j] = i * 7 - j * 3;
  __s32 best = -1000000000, which = 0;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < OUTPUTS; i++) {
      __s32 sum = bias[i] + round;
      for (int j = 0; j < INPUTS; j++) sum += weights[i][j] * input[j];
      if (sum < 0) sum >>= 3;
      if (sum > best) {
        best = sum;
        which = i;
      }
    }
  }
  return best * 8 + which;
}
