#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	if (ctx->data + 14 > ctx->data_end
		return XDP_DROP; // error 3: expected ')'
	return XDP_PASS;
}
