#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int length(struct xdp_md *ctx)
{
	return ctx.data_end - ctx.data; // error 12: member reference type 'struct xdp_md *' is a pointer; did you mean to use '->'? // error 27: member reference type 'struct xdp_md *' is a pointer; did you mean to use '->'?
}
