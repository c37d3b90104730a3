#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct shape {
  int sides;
  long area;
};
struct task {
  int pid;
  unsigned int flags : 3;
  int level : 5;
  unsigned long start;
  struct shape shapes[4];
  struct task *parent;
  char comm[16];
};
struct gone {
  int a;
};
#pragma clang attribute pop

enum color { RED, GREEN = 5, BLUE };
enum wide { WIDE = 0x100000000ULL };
typedef struct shape *mode_of_task;

SEC("raw_tp/sched_switch") int program(struct bpf_raw_tracepoint_args *ctx) {
  struct task *t = (struct task *)ctx->args[0];
  struct gone *g = (struct gone *)ctx->args[1];
  long sum = BPF_CORE_READ(t, pid) + BPF_CORE_READ(t, start);
  sum += BPF_CORE_READ(t, parent, shapes[2].area);
  sum += BPF_CORE_READ_BITFIELD_PROBED(t, flags) + BPF_CORE_READ_BITFIELD_PROBED(t, level);
  sum += bpf_core_field_size(t->comm) + bpf_core_field_offset(t->comm);
  sum += bpf_core_field_exists(t->parent) + bpf_core_field_exists(g->a);
  sum += bpf_core_type_exists(struct gone) + bpf_core_type_exists(mode_of_task);
  sum += bpf_core_type_size(struct task) + bpf_core_type_matches(struct shape);
  sum += bpf_core_type_id_local(struct shape) + bpf_core_type_id_kernel(struct shape);
  sum += bpf_core_enum_value_exists(enum color, BLUE) + bpf_core_enum_value(enum color, GREEN);
  sum += bpf_core_enum_value(enum wide, WIDE);
  if (bpf_core_field_exists(g->a)) sum += BPF_CORE_READ(g, a);
  return sum;
}

char license[] SEC("license") = "GPL";
