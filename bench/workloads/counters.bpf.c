#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* Counters in an array map, as almost every program has them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} totals SEC(".maps");

SEC("xdp") int counters(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;

	for (int i = 0; i < 500; i++) {
		if (data + i + 1 > end)
			break;
		__u32 key = data[i];
		__u64 *total = bpf_map_lookup_elem(&totals, &key);
		if (total)
			*total += i;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
