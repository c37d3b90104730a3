#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("tracepoint/x/y") int p(void *ctx)
{
	char buf[64];
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&h, &key);
	if (!v) return 0;
	int n = v->n;
	if (n > 64) return 0;
	bpf_probe_read_kernel(buf, n, (void *)8);
	return buf[0];
}
