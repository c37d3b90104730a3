#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Multiplication, division and remainder by values that are not known. */
SEC("xdp") int division(struct xdp_md *ctx)
{
	__u64 x = ctx->rx_queue_index + 0x123456789abcdefULL, sum = 0;

	for (__u64 i = 1; i < 1000; i++) {
		x = x * 6364136223846793005ULL + i;
		sum += x / (i | 3);
		sum ^= (__u32)x % (__u32)(i + 7);
	}
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
