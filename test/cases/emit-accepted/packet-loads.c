// LD_ABS and LD_IND want the context in r6 on every way to them, whatever else is kept across calls.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long offset) asm("llvm.bpf.load.half");
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

SEC("socket") int prog(struct __sk_buff *skb) {
  __u32 start = 14, kind = load_half(skb, 12);
  if (kind == 0x8100) {
    kind = load_half(skb, 16);
    start = 18;
  }
  if (kind != 0x800) return 0;
  for (int i = 0; i < 4; i++) {
    __u32 key = load_byte(skb, start + i * 4) & 15;
    __u64 *counter = bpf_map_lookup_elem(&counters, &key);
    if (counter) *counter += skb->len;
  }
  return load_byte(skb, start + 9) == 6 ? skb->len : 0;
}
char _license[] SEC("license") = "GPL";
