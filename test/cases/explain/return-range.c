#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("cgroup_skb/ingress") int p(struct __sk_buff *skb)
{
	return skb->len;
}
