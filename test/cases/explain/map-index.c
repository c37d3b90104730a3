#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&a, &key);
	if (!v)
		return XDP_PASS;
	__u32 i = ctx->rx_queue_index;
	if (i > 60)
		return XDP_PASS;
	v->buf[i] = 1;
	return XDP_PASS;
}
