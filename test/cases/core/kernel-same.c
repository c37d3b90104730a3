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
enum color { RED, GREEN = 5, BLUE };
enum wide { WIDE = 0x100000000ULL };
typedef struct shape *mode_of_task;
struct task *keep_task;
mode_of_task *keep_mode;
struct shape *keep_shape;
enum color *keep_color;
enum wide *keep_wide;
