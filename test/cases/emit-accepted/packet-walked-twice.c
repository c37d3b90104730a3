// The first loop is left in up to 400 rounds, each with more of the packet known than the one before. What follows
// is gone through for the first round's way out alone if the verifier goes there first.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int walk(struct xdp_md *ctx) {
  unsigned char *data = (void *)(long)ctx->data;
  void *end = (void *)(long)ctx->data_end;
  if ((void *)(data + 4) > end) return XDP_PASS;
  unsigned length = data[3], rest = data[2];
  unsigned char *payload = data + (data[0] & 15);
  if ((void *)(payload + 8) > end) return XDP_PASS;
  for (int i = 0; i < 400; i++) {
    if (i >= length) break;
    if ((void *)(payload + i * 4 + 4) > end) break;
    payload[i * 4] ^= payload[i * 4 + 1];
    payload[i * 4 + 2] ^= 7;
  }
  unsigned sum = 0, at = 0;
  for (int i = 0; i < 3000 && at + 2 < rest; i += 2) {
    if ((void *)(payload + at + 2) > end) break;
    sum += *(unsigned short *)(payload + at);
    at += 2;
  }
  payload[0] = sum;
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
