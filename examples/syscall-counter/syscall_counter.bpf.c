// Counts system calls per user: on a kprobe, and on the raw tracepoint sys_enter.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} calls_by_uid SEC(".maps");

static __always_inline int count_call(void)
{
	__u32 uid = bpf_get_current_uid_gid();
	__u64 *calls, one = 1;

	calls = bpf_map_lookup_elem(&calls_by_uid, &uid);
	if (calls)
		__sync_fetch_and_add(calls, 1);
	else
		bpf_map_update_elem(&calls_by_uid, &uid, &one, BPF_ANY);
	return 0;
}

SEC("kprobe/do_sys_openat2")
int BPF_KPROBE(count_openat, int dirfd, const char *path)
{
	bpf_printk("openat of %lx, directory %d", path, dirfd);
	return count_call();
}

SEC("raw_tp/sys_enter")
int raw_count_calls(struct bpf_raw_tracepoint_args *ctx)
{
	return count_call();
}

char LICENSE[] SEC("license") = "GPL";
