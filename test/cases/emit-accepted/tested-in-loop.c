// An index of 16 bits, cut from a number of 64, that every round tests: who tests it and who uses it have one register.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 counts[16];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u8 *bytes = data;
  __u64 hash = 0;
  for (int i = 0; i < 9; i++) {
    if ((void *)(bytes + 2) > end) break;
    hash ^= bytes[0];
    bytes += bytes[1];
  }
  bpf_ktime_get_ns();
  for (__u32 i = 0; i < 43; i++) {
    __u16 index = hash;
    if (index >= 16) return XDP_DROP;
    counts[index] += 1;
  }
  return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
