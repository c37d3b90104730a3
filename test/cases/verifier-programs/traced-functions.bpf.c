/* Which functions of the kernel may be traced, with sleep, and with another result. */
#include "programs.h"

#define traced(section, name, result) \
	SEC(section) int name(u64 *ctx) { return result; }

traced("fentry/do_unlinkat", entry, 0)
traced("fexit/do_unlinkat", exit_, 0)
traced("fentry.s/bpf_fentry_test1", sleeps, 0)
traced("fexit.s/bpf_fentry_test1", sleeps_at_exit, 0)
traced("fmod_ret/update_socket_protocol", changes, 0)
traced("fmod_ret/security_file_open", changes_security, -1)
traced("fmod_ret.s/bpf_fentry_test1", changes_and_sleeps, 0)
traced("fentry/do_exit", entry_of_exit, 0)
traced("fentry.s/do_unlinkat", refused_sleep, 0)
traced("fmod_ret/do_unlinkat", refused_change, 0)
traced("fexit/do_exit", refused_exit_of_exit, 0)
traced("fentry/migrate_disable", refused_own_function, 0)
traced("fentry/_printk", refused_variable_arguments, 0)
traced("fentry/do_unlinkat", refused_result, 1)

SEC("fmod_ret.s/bpf_fentry_test1")
int has_helpers(u64 *ctx)
{
	char text[8];

	bpf_copy_from_user(text, sizeof(text), (void *)ctx[0]);
	return bpf_get_current_task_btf() ? 0 : 1;
}

SEC("fexit.s/bpf_fentry_test1")
int has_result(u64 *ctx)
{
	u64 result = 0;

	bpf_get_func_ret(ctx, &result);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
