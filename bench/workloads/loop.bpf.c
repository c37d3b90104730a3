#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* 1000 operations on one map; loop.bpf.c is the loop alone. */
SEC("xdp") int loop(struct xdp_md *ctx)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 1000; i++) {
		volatile __u32 key = i;
		sum += key;
	}
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
