#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	struct val *v = bpf_map_lookup_elem(&h, (void *)(long)ctx->rx_queue_index);
	return v ? 1 : 0;
}
