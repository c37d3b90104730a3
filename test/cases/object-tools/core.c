#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

enum state { STATE_IDLE, STATE_BUSY };
struct owner {
  __u32 uid;
} __attribute__((preserve_access_index));
struct task {
  __u64 flags;
  __u32 pid;
  struct owner *owner;
} __attribute__((preserve_access_index));

/* Each answer has a decimal digit or two of its own. */
SEC("xdp") int answers(struct xdp_md *ctx) {
  struct task *task = 0;
  return __builtin_preserve_field_info(task->pid, 0) +
         100 * bpf_core_field_exists(task->owner) +
         1000 * bpf_core_enum_value(enum state, STATE_BUSY) +
         10000 * bpf_core_type_exists(struct owner);
}
char license[] SEC("license") = "GPL";
