// Lookups in a loop of 81 rounds, in one of as many rounds as a map says, in one of 12: the way out of the middle
// one is fallen into. With the ways out of the innermost loop first, the verifier goes through a million.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct entry {
	__u32 count;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

static __always_inline __u64 search(__u64 start)
{
	__u64 hash = 27;
	for (__u32 row = 1; row <= 9; row++) {
		for (__u32 column = 0; column < 9; column++) {
			__u32 key = 0;
			if (!bpf_map_lookup_elem(&entries, &key))
				return hash;
		}
	}
	return hash ^ start;
}

SEC("xdp")
int rounds(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u32 key = 1;
	struct entry *sum = bpf_map_lookup_elem(&entries, &key);
	if (!sum || data + 35 > data_end)
		return 0;
	key = 28;
	struct entry *most = bpf_map_lookup_elem(&entries, &key);
	if (!most)
		return 0;
	for (__u32 outer = 1; outer <= 12; outer++) {
		__u32 count = most->count;
		if (count > 12)
			return 0;
		for (__u32 inner = 0; inner < count; inner++)
			sum->count += search(*(__u16 *)(data + 27));
	}
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
