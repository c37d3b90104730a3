// file: library.c
struct task { int pid; long more; };
unsigned int shared __attribute__((weak));
int table[8];
__attribute__((noinline)) int pid_of(struct task *task) { return task->pid; }
// file: user.c
#include <bpf/bpf_helpers.h>
struct task { int pid; };
int shared __attribute__((weak));
extern int table[];
extern int pid_of(struct task *task);
SEC("socket") int program(void *ctx) { return pid_of(ctx) + shared + table[1]; }
