#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&h, &key);
	if (!v) return 0;
	char *q = v->buf + (long)v->n;
	return *q;
}
