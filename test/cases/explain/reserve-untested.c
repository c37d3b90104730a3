#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	struct val *e = bpf_ringbuf_reserve(&rb, sizeof(*e), 0);
	e->n = 1;
	bpf_ringbuf_submit(e, 0);
	return 0;
}
