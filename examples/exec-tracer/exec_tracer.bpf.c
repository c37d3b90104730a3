// Reports every exec through a ring buffer: on the tracepoint, and on the raw tracepoint.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define TASK_COMM_LEN 16

struct event {
	__u64 time;
	__u32 pid;
	__u32 uid;
	__u32 old_pid;
	char comm[TASK_COMM_LEN];
};

/* Of tracing/events/sched/sched_process_exec/format. */
struct sched_process_exec {
	__u16 common_type;
	__u8 common_flags;
	__u8 common_preempt_count;
	__s32 common_pid;
	__u32 filename;
	__s32 pid;
	__s32 old_pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

__u64 dropped;

static __always_inline int report(__u32 old_pid)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	event->time = bpf_ktime_get_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = bpf_get_current_uid_gid();
	event->old_pid = old_pid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("tracepoint/sched/sched_process_exec")
int trace_exec(struct sched_process_exec *ctx)
{
	return report(ctx->old_pid);
}

/* The same on the raw tracepoint, whose arguments are task, old_pid, bprm. */
SEC("raw_tp/sched_process_exec")
int raw_trace_exec(struct bpf_raw_tracepoint_args *ctx)
{
	return report(ctx->args[1]);
}

char LICENSE[] SEC("license") = "GPL";
