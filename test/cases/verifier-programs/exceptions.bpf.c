/* Exceptions: what may be held when they are thrown, what they give, and who may throw. */
#include "programs.h"

#define handled_by(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

static __attribute__((noinline)) int check(u64 value)
{
	if (value > 100)
		bpf_throw(value);
	return value & 1;
}

__attribute__((noinline)) int check_global(u64 value)
{
	if (value > 100)
		bpf_throw(0);
	return value & 1;
}

__attribute__((noinline)) int handle(u64 cookie)
{
	return cookie & 1;
}

__attribute__((noinline)) int handle_with_context(struct __sk_buff *skb)
{
	return 0;
}

__attribute__((noinline)) int handle_badly(u64 cookie)
{
	return 7;
}

static long throwing_loop(u64 index, void *context)
{
	if (index == 7)
		bpf_throw(index);
	return 0;
}

SEC("tc")
int plain(struct __sk_buff *skb)
{
	if (skb->protocol == 7)
		bpf_throw(skb->len);
	return 0;
}

SEC("tc")
int from_function(struct __sk_buff *skb)
{
	return check(skb->len);
}

SEC("tc")
int from_global(struct __sk_buff *skb)
{
	return check_global(skb->len);
}

SEC("tc")
handled_by(handle)
int with_handler(struct __sk_buff *skb)
{
	return check(skb->len);
}

SEC("cgroup/connect4")
int in_range(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == 80)
		bpf_throw(1);
	return 1;
}

SEC("cgroup/connect4")
int refused_out_of_range(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == 80)
		bpf_throw(8);
	return 1;
}

SEC("cgroup/connect6")
handled_by(handle_badly)
int refused_range_of_handler(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == 80)
		bpf_throw(8);
	return 1;
}

SEC("tc")
handled_by(handle_with_context)
int refused_handler_of_context(struct __sk_buff *skb)
{
	return check(skb->len);
}

SEC("tc")
handled_by(handle)
int refused_call_of_handler(struct __sk_buff *skb)
{
	handle(skb->len);
	return check(skb->len);
}

SEC("tc")
int refused_in_callback(struct __sk_buff *skb)
{
	bpf_loop(10, throwing_loop, 0, 0);
	return 0;
}

SEC("tc")
int refused_in_read_section(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	if (skb->len == 3)
		bpf_throw(0);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc")
int refused_with_reference(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);

	if (!sk)
		return 0;
	if (skb->len == 3)
		bpf_throw(0);
	bpf_sk_release(sk);
	return 0;
}

SEC("tc")
int in_loop(struct __sk_buff *skb)
{
	u32 i, sum = 0;

	for (i = 0; i < 50; i++) {
		sum += skb->cb[0];
		if (sum > 1000)
			bpf_throw(i);
	}
	return sum & 1;
}

SEC("tc")
int refused_at_once_in_loop(struct __sk_buff *skb)
{
	u32 i = skb->len;

	do {
		if (i & 1)
			bpf_throw(i);
	} while (--i);
	return 0;
}

SEC("socket")
int refused_for_type(struct __sk_buff *skb)
{
	bpf_throw(0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
