// data + offset is computed twice: to check it and to use it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int prog(struct xdp_md *ctx) {
  unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 1 > end) return XDP_DROP;
  unsigned int offset = (data[0] & 15) * 4;
  if (data + offset + 8 > end) return XDP_DROP;
  return (data + offset)[3] + *(data + offset + 7);
}
char _license[] SEC("license") = "GPL";
