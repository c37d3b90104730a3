/* 64-bit divisions and remainders: rates, averages, decimal digits. */
#include "workload.h"

#define ROUNDS 32

volatile __u64 seed = 0x123456789abcdef;
char digits[20];

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u64 value = seed;
  __u64 total = 0;
  for (__u32 i = 1; i <= ROUNDS; i++) {
    value = value * 6364136223846793005ull + 1442695040888963407ull;
    total += value / (1000000ull * i) + (value >> 20) % 1000;
    __s64 change = (__s64)value >> 8;
    total += (change >> 3) + ((__u64)change & 0xffff) % 7;
  }
  __u64 left = total;
  for (int i = 0; i < 20; i++) {
    digits[i] = '0' + left % 10;
    left /= 10;
  }
  return total ^ total >> 32;
}
