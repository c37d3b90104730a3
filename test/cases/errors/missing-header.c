#include <linux/bpf.h>

__attribute__((section("xdp"), used))
int count(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns(); // error 14: call to undeclared function 'bpf_ktime_get_ns'; ISO C99 and later do not support implicit function declarations

	return now & 1;
}
