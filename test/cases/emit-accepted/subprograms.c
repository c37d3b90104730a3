// Static and global functions with narrow arguments, results and pointers to the caller's stack.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) unsigned char low(unsigned char value, short other) {
  return value + other;
}
__attribute__((noinline)) int clamp(int value, unsigned int most) {
  return (unsigned int)value > most ? (int)most : value;
}
static __attribute__((noinline)) void fill(int *out, long count) {
  for (long i = 0; i < 4; i++) out[i] = i < count ? i : -1;
}

SEC("tc") int prog(struct __sk_buff *skb) {
  int local[4];
  fill(local, skb->len & 3);
  unsigned char index = low(skb->len, skb->mark);
  return local[clamp(index, 3) & 3] & 1;
}
char _license[] SEC("license") = "GPL";
