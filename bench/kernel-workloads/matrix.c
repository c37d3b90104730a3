/* Two matrices of random numbers: one is turned over, then they are multiplied. */
#include "workload.h"

#define SIZE 8

static __s32 left[SIZE][SIZE], right[SIZE][SIZE], turned[SIZE][SIZE], product[SIZE][SIZE];

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 seed = ctx->data_end - ctx->data;
  __u32 result = 0;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) {
        seed = seed * 1664525 + 1013904223;
        left[i][j] = seed >> 20;
        right[i][j] = seed & 0xfff;
      }
    }
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) turned[j][i] = right[i][j];
    }
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) {
        __s32 sum = 0;
        for (int k = 0; k < SIZE; k++) sum += left[i][k] * turned[j][k];
        product[i][j] = sum;
      }
    }
    for (int i = 0; i < SIZE; i++) result = result * 31 + product[i][i] + product[i][SIZE - 1 - i];
  }
  return result;
}
