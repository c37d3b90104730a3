#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

struct task { int a; int pid; };
SEC("raw_tp/sched_switch") int p(struct bpf_raw_tracepoint_args *ctx)
{
	struct task *t = (struct task *)ctx->args[1];
	return t->pid;
}
