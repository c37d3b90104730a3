#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

struct __attribute__((packed)) pk { char c; __u64 n; };
SEC("xdp") int p(struct xdp_md *ctx)
{
	struct pk x = {};
	asm volatile("" :: "r"(&x) : "memory");
	__sync_fetch_and_add(&x.n, 1);
	asm volatile("" :: "r"(&x) : "memory");
	return x.c;
}
