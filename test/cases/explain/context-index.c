#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("tc") int p(struct __sk_buff *skb)
{
	int i = bpf_get_prandom_u32() & 3;
	return skb->cb[i];
}
