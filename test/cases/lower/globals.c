// Sections, bindings, data and relocations of variables.
int zero, one = 1;
static int hidden_zero;
const int fixed = 3;
const volatile int config = 4;
static const char text[] = "text";
__attribute__((weak)) int weak_one = 1;
__attribute__((visibility("hidden"))) long hidden_one = 1;
__attribute__((section(".data.mine"), aligned(64))) int placed;
__attribute__((section("maps"))) struct { int type, size; } map = {2, 4};
extern int config_option __attribute__((section(".kconfig")));
struct list {
  const char *name;
  struct list *next;
  int (*call)(int);
};
static int callee(int x) { return x; }
static struct list last = {"last"};
struct list first = {"first", &last, callee};
int *inside = &(&one)[0];

__attribute__((visibility("hidden"))) extern int hidden_function(void);
int use(void) {
  hidden_function();
  static int counter = 5;
  return counter++ + fixed + config + text[zero] + hidden_zero + config_option + first.next->name[0];
}
