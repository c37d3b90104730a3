#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

extern int other(int);
int other2(int x);
SEC("xdp") int p(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index == 4) { __builtin_unreachable(); }
	asm volatile("goto +1\n r0 = 1\n r0 = 2" ::: "r0");
	return 2;
}
