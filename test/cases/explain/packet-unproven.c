#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	struct iphdr *ip = (void *)(eth + 1);
	if (ip->protocol == 6)
		return XDP_DROP;
	return XDP_PASS;
}
