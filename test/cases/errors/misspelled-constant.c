#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PAS; // error 9: use of undeclared identifier 'XDP_PAS'; did you mean 'XDP_PASS'?
}
