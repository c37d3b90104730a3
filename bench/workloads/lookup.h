#include "map.h"

SEC("xdp") int lookup(struct xdp_md *ctx)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 1000; i++) {
		__u32 key = i;
		__u64 *value = bpf_map_lookup_elem(&map, &key);
		if (value)
			sum += *value;
	}
	return sum;
}
