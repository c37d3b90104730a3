// A remainder that is bounded by a 32-bit comparison is a helper's size: the verifier knows nothing of the
// upper half of what a 32-bit division leaves.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char copied[16];

SEC("xdp")
int remainder_as_size(struct xdp_md *ctx)
{
	__u32 length = (ctx->rx_queue_index + ctx->ingress_ifindex) % 11;

	if (length == 0)
		return XDP_PASS;
	if (length < 2)
		length = 1;
	else if (length < 3)
		length = 2;
	length = length < 8 ? length : 8;
	return bpf_xdp_load_bytes(ctx, 4, copied, length) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
