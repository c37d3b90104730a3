/* Types of an imagined kernel; kernel-b.c is a later one. */
typedef unsigned int u32;
typedef unsigned long u64;
enum state { STATE_IDLE, STATE_BUSY };
struct owner {
  u32 uid;
};
struct task {
  u64 flags;
  u32 pid;
  struct owner *owner;
  enum state state;
};
struct old_only {
  int x;
};
struct task first_task;
struct old_only old;
struct owner first_owner;
