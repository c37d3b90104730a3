/* Security hooks: results, arguments, sleeping. By the kernel's rules; kernels may refuse all of them. */
#include "programs.h"

struct file {
	u32 f_flags;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

SEC("lsm/file_open")
int decides(unsigned long *ctx)
{
	struct file *file = (void *)ctx[0];
	int decided = ctx[1];

	if (decided)
		return decided;
	return file->f_flags & 1 ? -1 : 0;
}

SEC("lsm/file_open")
int refused_positive_result(unsigned long *ctx)
{
	return ctx[0] ? 1 : 0;
}

SEC("lsm/file_open")
int refused_second_argument(unsigned long *ctx)
{
	return ctx[2];
}

SEC("lsm/task_free")
int any_result_without_one(unsigned long *ctx)
{
	return 77;
}

SEC("lsm/inode_xattr_skipcap")
int yes_or_no(unsigned long *ctx)
{
	return 1;
}

SEC("lsm.s/file_open")
int sleeps(unsigned long *ctx)
{
	char text[8];

	bpf_copy_from_user(text, sizeof(text), (void *)0x1000);
	return 0;
}

SEC("lsm.s/task_free")
int refused_to_sleep(unsigned long *ctx)
{
	return 0;
}

SEC("lsm/getprocattr")
int refused_hook(unsigned long *ctx)
{
	return 0;
}

SEC("lsm_cgroup/socket_bind")
int of_cgroup(unsigned long *ctx)
{
	return 1;
}

SEC("lsm_cgroup/socket_bind")
int refused_range_of_cgroup(unsigned long *ctx)
{
	return 2;
}

SEC("lsm_cgroup/task_free")
int refused_zero_without_result(unsigned long *ctx)
{
	return 0;
}

SEC("lsm/file_open")
int refused_helper(unsigned long *ctx)
{
	bpf_redirect(1, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
