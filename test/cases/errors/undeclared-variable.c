#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_all(struct xdp_md *ctx)
{
	int counter = 0;

	counter++;
	if (count > 10) // error 6: use of undeclared identifier 'count'
		return XDP_DROP;
	return counter;
}

char _license[] SEC("license") = "GPL";
