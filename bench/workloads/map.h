#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* A map of type MAP_TYPE for 1000 operations; loop.bpf.c is the loop alone. */
struct {
	__uint(type, MAP_TYPE);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, __u64);
} map SEC(".maps");

#ifdef FILL
/* Run once before the measurement. */
SEC("xdp") int fill(struct xdp_md *ctx)
{
	for (__u32 i = 0; i < 1000; i++) {
		__u32 key = i;
		__u64 value = i;
		bpf_map_update_elem(&map, &key, &value, BPF_ANY);
	}
	return 0;
}
#endif

char LICENSE[] SEC("license") = "GPL";
