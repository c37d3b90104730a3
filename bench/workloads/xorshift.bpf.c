#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Latency of dependent 64-bit arithmetic. */
SEC("xdp") int xorshift(struct xdp_md *ctx)
{
	__u64 x = ctx->rx_queue_index + 88172645463325252ULL;

	for (int i = 0; i < 10000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

char LICENSE[] SEC("license") = "GPL";
