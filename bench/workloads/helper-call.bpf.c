#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* 1000 calls of a helper that is written in JavaScript in the VM. */
SEC("xdp") int helper(struct xdp_md *ctx)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 1000; i++)
		sum += bpf_get_numa_node_id();
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
