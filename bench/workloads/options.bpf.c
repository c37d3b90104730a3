#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Tagged records: branches that depend on the data. */
SEC("xdp") int options(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
	__u64 found = 0;

	for (int i = 0; i < 370; i++) {
		__u8 *option = data + i * 4;
		if (option + 4 > end)
			break;
		switch (option[0] & 7) {
		case 0:
			found += 1;
			break;
		case 1:
			found += option[2];
			break;
		case 2:
			found ^= option[3] << 8;
			break;
		case 3:
			found += option[1] | option[2] << 8;
			break;
		default:
			if (option[1] > 128)
				found += option[1] * 5;
			else
				found -= option[3];
		}
	}
	return found;
}

char LICENSE[] SEC("license") = "GPL";
