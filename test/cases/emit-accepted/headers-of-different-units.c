// Optimised only: each kind of header moves the pointer by a constant and by a length in its own unit. Constants that
// stand outside of the lengths add up to the same offset on all ways; inside, they made ever more states of them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int walk(struct xdp_md *ctx) {
  unsigned char *at = (unsigned char *)(long)ctx->data, *end = (unsigned char *)(long)ctx->data_end;
  if (at + 1 > end) return 1;
  unsigned char kind = *at++;
  unsigned int fragments = 0, routes = 0;
  for (int i = 0; i < 10; i++) {
    if (kind == 6 || kind == 17 || kind == 58) break;
    if (kind == 0 || kind == 43 || kind == 60) {
      if (at + 8 > end) return 2;
      kind = at[0];
      if (kind == 43) routes++;
      at += (at[1] + 1) * 8;
    } else if (kind == 44) {
      if (at + 8 > end) return 2;
      kind = at[0];
      fragments = 1;
      at += 8;
    } else if (kind == 51) {
      if (at + 2 > end) return 2;
      kind = at[0];
      at += (at[1] + 2) * 4;
    } else {
      return 3;
    }
  }
  if (fragments && routes) return 2;
  if (kind == 17) return at + 8 > end ? 2 : at[2];
  if (kind == 6) return at + 20 > end ? 2 : at[13];
  return 0;
}

char _license[] SEC("license") = "GPL";
