#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

SEC("xdp") int null(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
