#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int first_byte(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->dta; // error 34: no member named 'dta' in 'struct xdp_md'; did you mean 'data'?
	void *end = (void *)(long)ctx->data_edn; // error 33: no member named 'data_edn' in 'struct xdp_md'; did you mean 'data_end'?

	return data < end;
}
