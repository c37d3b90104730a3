#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

static __noinline int g(struct xdp_md *ctx){ char b[300]; __builtin_memset(b, 1, sizeof b); asm volatile("" :: "r"(&b) : "memory"); return b[ctx->rx_queue_index & 7]; }
SEC("xdp") int p(struct xdp_md *ctx)
{
	char b[300]; __builtin_memset(b, 2, sizeof b); asm volatile("" :: "r"(&b) : "memory");
	return g(ctx) + b[3];
}
