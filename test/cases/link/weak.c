// file: library.c
__attribute__((weak, noinline)) int used(int a) { return a + 1; }
__attribute__((weak, noinline)) int unused(int a) { return a + 2; }
// file: user.c
#include <bpf/bpf_helpers.h>
extern int used(int a);
__attribute__((weak, noinline)) int unused(int a) { return a + 3; }
SEC("socket") int program(void *ctx) { return used(1) + unused(2); }
