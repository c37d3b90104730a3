#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	return bpf_get_socket_cookie(ctx) & 1;
}
