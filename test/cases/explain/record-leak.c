#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("tc") int p(struct __sk_buff *skb)
{
	struct val *e = bpf_ringbuf_reserve(&rb, sizeof(*e), 0);
	if (!e) return 0;
	if (skb->len > 100) return 1;
	bpf_ringbuf_submit(e, 0);
	return 0;
}
