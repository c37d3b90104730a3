#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("tc") int p(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &t, sizeof(t.ipv4), -1, 0);
	if (!sk) return 0;
	if (sk->family == 2)
		return 1;
	bpf_sk_release(sk);
	return 0;
}
