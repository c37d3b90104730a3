#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	int action = XDP_PASS // error 23: expected ';' at end of declaration
	return action;
}
