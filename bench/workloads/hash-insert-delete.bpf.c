#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* 1000 operations on one map; loop.bpf.c is the loop alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, __u64);
} map SEC(".maps");

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

char LICENSE[] SEC("license") = "GPL";
