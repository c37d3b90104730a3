#include "explain.h"
char LICENSE[] SEC("license") = "Proprietary";

SEC("kprobe/x") int p(void *ctx)
{
	char c[4];
	bpf_probe_read_kernel(c, 4, (void *)8);
	return c[0];
}
