#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Calls of a function that is not inlined. */
static __noinline int leaf(__u32 value)
{
	return value * 3 + (value >> 3);
}

SEC("xdp") int calls(struct xdp_md *ctx)
{
	__u32 sum = ctx->rx_queue_index;

	for (int i = 0; i < 3000; i++)
		sum = leaf(sum);
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
