#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Header fields in network order, rewritten in place: swaps, masks, stores to the packet. */
#define swap16(x) __builtin_bswap16(x)
#define swap32(x) __builtin_bswap32(x)

struct record {
	__u16 ports[2];
	__u32 address;
	__u64 value;
};

SEC("xdp") int rewrite(struct xdp_md *ctx)
{
	struct record *records = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 sum = 0;

	for (int i = 0; i < 90; i++) {
		struct record *record = records + i;
		if ((void *)(record + 1) > end)
			break;
		__u16 port = swap16(record->ports[0]);
		record->ports[0] = record->ports[1];
		record->ports[1] = swap16(port + 1);
		record->address = swap32((swap32(record->address) & 0xffffff00) | (i & 255));
		record->value = __builtin_bswap64(record->value) + port;
		sum += record->address;
	}
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
