// A dispatcher that hands packets to other programs by a tail call; what it does is set by globals.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Set by the user before loading. */
const volatile __u32 largest_packet = 1500;
const volatile int drop_unknown = 1;

/* Counted by the programs. */
__u64 ip_packets, ip6_packets, oversized;
int last_protocol = -1;

int handle_ip(struct xdp_md *ctx);
int handle_ip6(struct xdp_md *ctx);

enum { SLOT_IP, SLOT_IP6 };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} handlers SEC(".maps") = {
	.values = {
		[SLOT_IP] = &handle_ip,
		[SLOT_IP6] = &handle_ip6,
	},
};

SEC("xdp")
int handle_ip(struct xdp_md *ctx)
{
	ip_packets++;
	return XDP_PASS;
}

SEC("xdp")
int handle_ip6(struct xdp_md *ctx)
{
	ip6_packets++;
	return XDP_TX;
}

SEC("xdp")
int dispatch(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > data_end)
		return XDP_ABORTED;
	if (data_end - data > largest_packet) {
		oversized++;
		return XDP_DROP;
	}
	last_protocol = bpf_ntohs(eth->h_proto);
	switch (last_protocol) {
	case ETH_P_IP:
		bpf_tail_call(ctx, &handlers, SLOT_IP);
		break;
	case ETH_P_IPV6:
		bpf_tail_call(ctx, &handlers, SLOT_IP6);
		break;
	}
	return drop_unknown ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
