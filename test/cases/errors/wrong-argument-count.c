#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 one = 1;
	__u64 *value = bpf_map_lookup_elem(&counts); // error 44: too few arguments to function call, expected 2, have 1

	bpf_map_update_elem(&counts, &key, &one, BPF_ANY, 0); // error 52: too many arguments to function call, expected 4, have 5
	return value ? XDP_PASS : XDP_DROP;
}
