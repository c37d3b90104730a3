#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

SEC("socket") int p(struct __sk_buff *skb)
{
	skb->len = 4;
	return 0;
}
