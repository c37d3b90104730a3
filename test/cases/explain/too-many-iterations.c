#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int p(struct xdp_md *ctx)
{
	__u64 s = 0;
	for (__u64 i = 0; i < 10000000; i++) {
		s += i ^ bpf_get_prandom_u32();
	}
	return s & 1;
}
