#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Reads and writes of the stack at addresses that are not known. */
SEC("xdp") int histogram(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
	__u32 counts[64] = {};

	for (int i = 0; i < 1000; i++) {
		if (data + i + 1 > end)
			break;
		counts[data[i] & 63]++;
	}
	return counts[5] + counts[9];
}

char LICENSE[] SEC("license") = "GPL";
