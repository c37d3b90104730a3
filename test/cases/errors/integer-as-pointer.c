#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __u64 *slot;

SEC("xdp")
int store(struct xdp_md *ctx)
{
	__u32 length = ctx->data_end - ctx->data;
	__u32 *p = length; // error 9: incompatible integer to pointer conversion initializing '__u32 *' (aka 'unsigned int *') with an expression of type '__u32' (aka 'unsigned int'); take the address with &

	slot = 4096; // error 7: incompatible integer to pointer conversion assigning to '__u64 *' (aka 'unsigned long long *') from 'int'
	return *p;
}
