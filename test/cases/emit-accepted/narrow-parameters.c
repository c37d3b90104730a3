// Numbers of global functions are anything to the verifier: what goes into an address, a size or a loop's
// bound is cut to its type there, although callers have done so.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char table[256];
long total;

__attribute__((noinline)) int indexed(unsigned char index) { return table[index]; }
__attribute__((noinline)) int shifted(signed char index) { return table[index & 127] + index; }
__attribute__((noinline)) int counted(unsigned char count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += i;
  return sum;
}
__attribute__((noinline)) int sized(unsigned char size, const char *from) {
  char local[256];
  return from ? bpf_probe_read_kernel(local, size, from) : 0;
}
__attribute__((noinline)) int kept(unsigned char index) {
  volatile unsigned int local = index;
  total = index;
  return table[local & 255];
}
static __attribute__((noinline)) int followed(unsigned char index) {
  asm volatile("" ::: "memory");
  return table[index];
}

SEC("tc") int prog(struct __sk_buff *skb) {
  unsigned char low = skb->len;
  return indexed(low) + shifted(low) + counted(low) + sized(low, table) + kept(low) +
         followed(low);
}
char _license[] SEC("license") = "GPL";
