/* Programs that give one number, on this machine and as BPF alike: the sum of what they `mix` in. */
typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

static u32 sum = 2166136261u;
static __attribute__((noinline)) int mix(u64 value) {
  sum = (sum ^ (u32)value) * 16777619u;
  sum = (sum ^ (u32)(value >> 32)) * 16777619u;
  return 0;
}

/* A value that the compiler cannot know. */
static volatile u64 zero;
#define HIDE(x) ((__typeof__(x))((x) + (__typeof__(x))zero))

static void run(void);
#ifdef __bpf__
__attribute__((section("syscall"), used)) int program(void *context) {
  run();
  return (int)sum;
}
char license[] __attribute__((section("license"), used)) = "GPL";
#else
int printf(const char *, ...);
int main(void) {
  run();
  printf("%d\n", (int)sum);
  return 0;
}
#endif
