/* Stack: what calls may add up to, stacks of their own, reads of a caller's frame. */
#include "programs.h"

#define __noinline __attribute__((noinline))

static __noinline int deep(int n)
{
	volatile char bytes[300];

	bytes[0] = n;
	return bytes[0];
}

static __noinline int read_far(char *bytes, u32 at)
{
	volatile char own[200];

	own[0] = at;
	return bytes[at & 255] + own[0];
}

static __noinline int use_own(int n)
{
	volatile char own[40];

	own[0] = n;
	return own[0] + deep(n);
}

static long loop(u64 index, void *context)
{
	return deep(index) & 1;
}

#define two_frames(value)                 \
	volatile char bytes[300];         \
	bytes[0] = 5;                     \
	return deep(value) + bytes[0];

SEC("tp_btf/sched_switch")
int tracing(u64 *ctx)
{
	two_frames((int)ctx[0])
}

SEC("kprobe/some_function")
int probe(struct pt_regs *ctx)
{
	two_frames(bpf_get_smp_processor_id())
}

SEC("raw_tp")
int raw(void *ctx)
{
	two_frames(bpf_get_smp_processor_id())
}

SEC("xdp")
int refused_packets(struct xdp_md *ctx)
{
	two_frames(ctx->rx_queue_index)
}

SEC("xdp")
int fits(struct xdp_md *ctx)
{
	return use_own(ctx->rx_queue_index);
}

SEC("xdp")
int callers_frame(struct xdp_md *ctx)
{
	char bytes[256];

	__builtin_memset(bytes, 1, sizeof(bytes));
	return read_far(bytes, ctx->rx_queue_index);
}

SEC("xdp")
int refused_in_callback(struct xdp_md *ctx)
{
	volatile char bytes[300];

	bytes[0] = 5;
	bpf_loop(3, loop, 0, 0);
	return bytes[0];
}

SEC("iter/task")
int refused_iterator(u64 *ctx)
{
	volatile char bytes[300];

	bytes[0] = 5;
	return (deep(bytes[0]) + bytes[0]) & 1;
}

char LICENSE[] SEC("license") = "GPL";
