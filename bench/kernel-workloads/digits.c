/* Division of 64 bits: decimal digits, greatest common divisors, and quotients that no round changes. */
#include "workload.h"

char digits[24];

static __always_inline int decimal(__u64 x) {
  int count = 0;
  for (int i = 0; i < 20; i++) {
    digits[i] = '0' + x % 10;
    x /= 10;
    count++;
    if (!x) break;
  }
  return count;
}

static __always_inline __u64 common_divisor(__u64 a, __u64 b) {
  for (int i = 0; i < 40 && b; i++) {
    __u64 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u64 x = (ctx->data_end - ctx->data) * 2654435761u, sum = 0;
  for (int i = 1; i < 10; i++) {
    sum += decimal(x * i) + digits[i];
    sum += common_divisor(x, x / i / 7 * 3);
    sum += x / 1000 % 60 + x / (i * 3600ULL);
    sum ^= x / 1000000007;
  }
  return sum;
}
