// Gives each packet a traffic class by its destination port; the parsing is in subprograms.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum traffic_class {
	CLASS_BULK = 1,
	CLASS_WEB,
	CLASS_INTERACTIVE,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u64);
} ports SEC(".maps");

static __noinline int destination_port(struct __sk_buff *skb)
{
	struct {
		__be16 source;
		__be16 destination;
	} l4;
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0 || ip.version != 4)
		return -1;
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4, &l4, sizeof(l4)) < 0)
		return -1;
	return bpf_ntohs(l4.destination);
}

__noinline int class_of_port(int port)
{
	switch (port) {
	case 22:
	case 53:
		return CLASS_INTERACTIVE;
	case 80:
	case 443:
	case 8000 ... 8999:
		return CLASS_WEB;
	default:
		return CLASS_BULK;
	}
}

static __noinline void count(__u16 port)
{
	__u64 one = 1, *packets = bpf_map_lookup_elem(&ports, &port);

	if (packets)
		__sync_fetch_and_add(packets, 1);
	else
		bpf_map_update_elem(&ports, &port, &one, BPF_NOEXIST);
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	int port = destination_port(skb);

	if (port < 0)
		return TC_ACT_OK;
	count(port);
	skb->priority = class_of_port(port);
	return skb->priority == CLASS_BULK ? TC_ACT_PIPE : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
