/* As kernel-a.c, some years later: pid moved and changed its type, owner is gone. */
typedef unsigned int u32;
typedef unsigned long u64;
enum state { STATE_NEW, STATE_IDLE, STATE_BUSY };
struct task {
  u64 flags;
  u64 start_time;
  u64 pid;
  enum state state;
};
struct new_only {
  int x;
};
struct task first_task;
struct new_only fresh;
