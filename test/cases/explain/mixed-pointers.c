#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("tc") int p(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct val *v = bpf_map_lookup_elem(&h, &key);
	if (!v) return 0;
	void *q = skb->mark ? (void *)skb : (void *)v;
	asm volatile("" : "+r"(q));
	return *(__u32 *)q;
}
