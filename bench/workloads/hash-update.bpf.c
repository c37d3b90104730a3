#define MAP_TYPE BPF_MAP_TYPE_HASH
#define FILL
#include "map.h"

SEC("xdp") int update(struct xdp_md *ctx)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 1000; i++) {
		__u32 key = i;
		__u64 value = i;
		sum += bpf_map_update_elem(&map, &key, &value, BPF_ANY);
	}
	return sum;
}
