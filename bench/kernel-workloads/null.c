/* What every run costs. */
#include "workload.h"

SEC("xdp")
int workload(struct xdp_md *ctx) {
  return 1;
}
