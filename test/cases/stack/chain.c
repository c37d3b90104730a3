#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int leaf(const char *from, int size) {
  char text[304];
  __builtin_memcpy(text, from, 8);
  bpf_trace_printk(text, size);
  return text[3];
}

static __attribute__((noinline)) int middle(const char *from, int size) {
  return leaf(from, size) + 1;
}

/* 224 + 0 + 304: too much. */
SEC("xdp")
int program(struct xdp_md *ctx) {
  char name[216] = {};
  bpf_trace_printk(name, 216);
  return middle(name, 3);
}

/* Fits. */
SEC("tc")
int small(struct __sk_buff *skb) {
  char name[200] = {};
  bpf_trace_printk(name, 200);
  return middle(name, 3);
}

/* Functions of tracing programs have a stack each. */
SEC("kprobe/do_exit")
int probe(void *ctx) {
  char name[280] = {};
  bpf_trace_printk(name, 280);
  return middle(name, 3);
}

char LICENSE[] SEC("license") = "GPL";
