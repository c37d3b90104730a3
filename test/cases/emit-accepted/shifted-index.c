// An index that is a shifted number and is shifted again for the address, and a remainder by the greatest that a byte
// can be: what is tested is what the address is made of.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 table[32];

SEC("xdp") int prog(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 14 > end) return XDP_PASS;
  __u64 index = (__u64)*(__u16 *)(data + 12) << 3;
  if (index >= 32) return XDP_PASS;
  table[index] += 1;
  __u32 offset = *(__u8 *)(data + 11) % 255;
  __u8 *place = data + offset;
  if ((void *)(place + 24) > end) return XDP_DROP;
  return place[3] & 3;
}
char _license[] SEC("license") = "GPL";
