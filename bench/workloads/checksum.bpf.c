#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* The Internet checksum of the packet, 16 bits at a time. */
SEC("xdp") int checksum(struct xdp_md *ctx)
{
	__u16 *data = (__u16 *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 sum = 0;

	for (int i = 0; i < 750; i++) {
		if ((void *)(data + i + 1) > end)
			break;
		sum += data[i];
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

char LICENSE[] SEC("license") = "GPL";
