/* Self-checking programs: the result is the line of the first check that fails, or 0. */
typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

/* Values that the compiler cannot know. */
static volatile u64 opaque_zero;
#define HIDE(x) ((__typeof__(x))((x) + (__typeof__(x))opaque_zero))

#define CHECK(condition) \
  do {                   \
    if (!(condition)) return __LINE__; \
  } while (0)

static int checks(void);
#ifdef __bpf__
__attribute__((section("syscall"), used)) int program(void *context) { return checks(); }
#else
int printf(const char *, ...);
int main(void) {
  int line = checks();
  if (line) printf("line %d\n", line);
  return line != 0;
}
#endif
