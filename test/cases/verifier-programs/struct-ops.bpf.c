/* Congestion control and the kernel's own test of struct_ops: arguments, writes, helpers, results. */
#include "programs.h"

struct sock {
	unsigned long sk_pacing_rate;
	u32 sk_mark;
} __attribute__((preserve_access_index));

struct inet_connection_sock {
	u64 icsk_ca_priv[13];
} __attribute__((preserve_access_index));

struct tcp_sock {
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u32 srtt_us;
	u32 app_limited;
} __attribute__((preserve_access_index));

struct ack_sample {
	u32 pkts_acked;
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	void (*set_state)(struct sock *sk, u8 new_state);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	char name[16];
};

struct bpf_dummy_ops_state {
	int val;
} __attribute__((preserve_access_index));

struct bpf_dummy_ops {
	int (*test_1)(struct bpf_dummy_ops_state *cb);
	int (*test_2)(struct bpf_dummy_ops_state *cb, int a1, unsigned short a2, char a3,
		      unsigned long a4);
	int (*test_sleepable)(struct bpf_dummy_ops_state *cb);
};

#define first(type, ctx) ((type *)((unsigned long *)(ctx))[0])

SEC("struct_ops")
u32 ssthresh(unsigned long *ctx)
{
	struct tcp_sock *tp = first(struct tcp_sock, ctx);

	return tp->snd_cwnd >> 1;
}

SEC("struct_ops")
void cong_avoid(unsigned long *ctx)
{
	struct tcp_sock *tp = first(struct tcp_sock, ctx);

	tp->snd_cwnd += (u32)ctx[2];
	tp->snd_ssthresh = (u32)ctx[1];
	((struct sock *)tp)->sk_pacing_rate = 1;
	((struct inet_connection_sock *)tp)->icsk_ca_priv[3] = 7;
}

SEC("struct_ops")
void refused_write(unsigned long *ctx)
{
	first(struct tcp_sock, ctx)->srtt_us = 1;
}

SEC("struct_ops")
void refused_write_too_wide(unsigned long *ctx)
{
	*(volatile u64 *)&first(struct tcp_sock, ctx)->app_limited = 1;
}

SEC("struct_ops")
u32 refused_fourth_argument(unsigned long *ctx)
{
	return ctx[1];
}

SEC("struct_ops")
void init(unsigned long *ctx)
{
	int value = 1;

	bpf_setsockopt(first(struct tcp_sock, ctx), 6, 1, &value, sizeof(value));
}

SEC("struct_ops")
void refused_option_at_release(unsigned long *ctx)
{
	int value = 1;

	bpf_setsockopt(first(struct tcp_sock, ctx), 6, 1, &value, sizeof(value));
}

SEC("struct_ops")
int test_1(unsigned long *ctx)
{
	struct bpf_dummy_ops_state *state = first(struct bpf_dummy_ops_state, ctx);

	if (!state)
		return 0;
	state->val = 5;
	return state->val;
}

SEC("struct_ops")
int refused_unchecked(unsigned long *ctx)
{
	return first(struct bpf_dummy_ops_state, ctx)->val;
}

SEC("struct_ops")
int test_2(unsigned long *ctx)
{
	first(struct bpf_dummy_ops_state, ctx)->val = ctx[4] + (u8)ctx[3];
	return 0;
}

SEC("struct_ops.s")
int test_sleepable(unsigned long *ctx)
{
	char text[8];

	bpf_copy_from_user(text, sizeof(text), (void *)0x1000);
	return 0;
}

SEC("struct_ops.s")
int refused_to_sleep(unsigned long *ctx)
{
	return 0;
}

SEC(".struct_ops")
struct tcp_congestion_ops control = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.set_state = (void *)refused_write,
	.pkts_acked = (void *)refused_write_too_wide,
	.undo_cwnd = (void *)refused_fourth_argument,
	.init = (void *)init,
	.release = (void *)refused_option_at_release,
	.name = "example",
};

SEC(".struct_ops")
struct bpf_dummy_ops dummy = {
	.test_1 = (void *)test_1,
	.test_2 = (void *)test_2,
	.test_sleepable = (void *)test_sleepable,
};

SEC(".struct_ops")
struct bpf_dummy_ops refused = {
	.test_1 = (void *)refused_unchecked,
	.test_2 = (void *)refused_to_sleep,
};

char LICENSE[] SEC("license") = "GPL";
