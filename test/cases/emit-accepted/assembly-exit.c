// Assembly that ends the program is followed by nothing: the kernel refuses instructions that cannot be reached.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __always_inline __attribute__((noreturn)) void leave(int code) {
  asm volatile("r0 = %[code]\nexit" : : [code] "r"(code) : "r0");
  __builtin_unreachable();
}
static __noinline int shorten(struct __sk_buff *skb) { return skb->len > 100 ? 1 : 0; }

SEC("tc") int prog(struct __sk_buff *skb) {
  if (skb->len < 14) leave(2);
  if (skb->mark == 7) leave(shorten(skb));
  return skb->mark;
}
char _license[] SEC("license") = "GPL";
