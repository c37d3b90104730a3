#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int address(struct xdp_md *ctx)
{
	int base = ctx; // error 6: incompatible pointer to integer conversion initializing 'int' with an expression of type 'struct xdp_md *'
	__u32 key = &base; // error 8: incompatible pointer to integer conversion initializing '__u32' (aka 'unsigned int') with an expression of type 'int *'

	return base + key;
}
