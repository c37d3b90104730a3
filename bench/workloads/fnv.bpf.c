#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* A byte-wise hash of the packet. */
SEC("xdp") int fnv(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
	__u64 hash = 14695981039346656037ULL;

	for (int i = 0; i < 1500; i++) {
		if (data + i + 1 > end)
			break;
		hash = (hash ^ data[i]) * 1099511628211ULL;
	}
	return hash;
}

char LICENSE[] SEC("license") = "GPL";
