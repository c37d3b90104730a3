/* Binary search in a sorted table. */
#include "workload.h"

#define SIZE 64
__u32 keys[SIZE];
__u32 values[SIZE];

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 x = 12345, sum = 0;
  for (int i = 0; i < SIZE; i++) {
    x += 17 + (i * i & 63);
    keys[i] = x;
    values[i] = x ^ 0x5555;
  }
  __u32 wanted = 12000;
  for (int i = 0; i < 60; i++) {
    __u32 low = 0, high = SIZE;
    for (int step = 0; step < 7; step++) {
      if (low >= high) break;
      __u32 middle = (low + high) / 2;
      if (keys[middle & (SIZE - 1)] <= wanted) low = middle + 1;
      else high = middle;
    }
    sum += values[(low - 1) & (SIZE - 1)] + low;
    wanted += 53;
  }
  return sum;
}
