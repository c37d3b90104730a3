#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	unsigned long d = ctx->data;
	char *q = (char *)(((long)d + 3) & ~3ul);
	if (q + 1 > (char *)(long)ctx->data_end) return 1;
	return *q;
}
