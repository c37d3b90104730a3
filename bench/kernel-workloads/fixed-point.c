/* Moving averages, clamps and percentiles in fixed point, as congestion controls and schedulers keep them. */
#include "workload.h"

#define FLOWS 16

struct flow {
  __u32 rtt, variance, window, threshold;
  __s32 credit;
  __u8 state, losses;
  __u16 segments;
  __u64 delivered, stamp;
};

struct flow flows[FLOWS];

static __always_inline void sample(struct flow *flow, __u32 rtt, __u64 now) {
  __s32 error = rtt - (flow->rtt >> 3);
  flow->rtt += error;
  if (error < 0) error = -error;
  flow->variance += error - (flow->variance >> 2);
  flow->delivered += flow->segments * 1448;
  __u64 elapsed = now - flow->stamp;
  if (flow->state == 0) flow->window += flow->segments;
  else if (flow->window > 4) flow->window -= flow->window >> 2;
  if (flow->window > flow->threshold) flow->state = 1;
  if (elapsed > 1000) flow->credit += elapsed >> 4;
  if (flow->credit > 100000) flow->credit = 100000;
  else if (flow->credit < -100000) flow->credit = -100000;
  flow->stamp = now;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 random = 7;
  for (int round = 0; round < 8; round++) {
    for (int i = 0; i < FLOWS; i++) {
      random = random * 1664525 + 1013904223;
      flows[i].segments = random >> 28;
      flows[i].threshold = 64;
      sample(&flows[i], random >> 18, random);
    }
  }
  __u32 sum = 0;
  for (int i = 0; i < FLOWS; i++) sum = sum * 31 + flows[i].rtt + flows[i].window + flows[i].credit;
  return sum;
}
