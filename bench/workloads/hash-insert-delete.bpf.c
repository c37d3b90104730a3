#define MAP_TYPE BPF_MAP_TYPE_HASH
#include "map.h"

SEC("xdp") int insert(struct xdp_md *ctx)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 500; i++) {
		__u32 key = i + 5000;
		__u64 value = i;
		sum += bpf_map_update_elem(&map, &key, &value, BPF_NOEXIST);
		sum += bpf_map_delete_elem(&map, &key);
	}
	return sum;
}
