#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	char buf[16] = {};
	bpf_get_current_comm(buf, 32);
	return buf[3];
}
