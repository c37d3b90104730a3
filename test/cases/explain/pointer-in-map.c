#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&h, &key);
	if (!v) return 0;
	v->n = (__u64)(long)v;
	char *q = (char *)(long)*(volatile __u64 *)&v->n;
	return *q;
}
