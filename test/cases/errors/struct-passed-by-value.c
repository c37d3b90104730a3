#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__u32 source, target;
};

static int hash(struct flow *flow)
{
	return flow->source ^ flow->target;
}

SEC("xdp")
int classify(struct xdp_md *ctx)
{
	struct flow flow = {1, 2};
	__u32 number = flow; // error 8: initializing '__u32' (aka 'unsigned int') with an expression of incompatible type 'struct flow'

	return hash(flow) + number; // error 14: passing 'struct flow' to parameter of incompatible type 'struct flow *'; take the address with &
}
