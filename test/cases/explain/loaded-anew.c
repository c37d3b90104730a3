#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&h, &key);
	if (!v)
		return XDP_PASS;
	if (v->n < 56)
		v->buf[v->n] = 1;
	__u64 x = *(volatile __u64 *)&v->n;
	v->buf[x] = 2;
	return XDP_PASS;
}
