struct shape {
  char name[12];
  long area;
  short sides;
};
struct task {
  unsigned long start;
  union {
    struct {
      long before;
      int pid;
    };
  };
  unsigned long padding : 60;
  unsigned long flags : 3;
  long more : 20;
  long level : 6;
  char comm[32];
  struct task *parent;
  struct shape shapes[8];
};
enum color { NONE, RED, GREEN = 9 };
enum wide { WIDE = 0x200000000ULL, WIDER };
typedef struct shape *mode_of_task;
struct gone {
  int a;
};
struct task *keep_task;
mode_of_task *keep_mode;
struct shape *keep_shape;
enum color *keep_color;
enum wide *keep_wide;
struct gone *keep_gone;
