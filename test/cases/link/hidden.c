// file: library.c
__attribute__((noinline)) void library_function(long *ctx) { *ctx = 1; }
int library_value = 3;
// file: user.c
#include <bpf/bpf_helpers.h>
extern void library_function(long *ctx) __hidden;
extern int library_value __hidden;
SEC("socket") int program(void *ctx) {
  long value;
  library_function(&value);
  return value + library_value;
}
