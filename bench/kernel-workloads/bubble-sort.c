/* Short arrays on the stack, sorted by swapping neighbours. */
#include "workload.h"

#define SIZE 12

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 words[SIZE], x = ctx->data_end - ctx->data, sum = 0;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < SIZE; i++) {
      x = x * 1664525 + 1013904223;
      words[i] = x >> 16;
    }
    for (int i = 0; i < SIZE - 1; i++) {
      for (int j = 0; j < SIZE - 1; j++) {
        if (j >= SIZE - 1 - i) break;
        if (words[j] > words[j + 1]) {
          __u32 swapped = words[j];
          words[j] = words[j + 1];
          words[j + 1] = swapped;
        }
      }
    }
    for (int i = 0; i < SIZE; i++) sum = sum * 33 + words[i];
  }
  return sum;
}
