#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_PASS;
	eth->h_proto = 0;
	return XDP_TX;
}
