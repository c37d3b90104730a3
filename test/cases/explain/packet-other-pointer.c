#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	if ((void *)(ip + 1) > data_end)
		return XDP_PASS;
	__u32 hl = ip->ihl * 4;
	__u8 *l4 = (void *)ip + hl;
	if (l4 + 1 > (__u8 *)data_end)
		return XDP_PASS;
	return l4[3] == 9 ? XDP_DROP : XDP_PASS;
}
