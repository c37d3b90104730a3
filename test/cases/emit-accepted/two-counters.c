/*
 * Two counters in a loop of may_goto: the verifier does not follow its rounds, so that the test of one
 * counter says nothing about the other; each keeps its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char buffer[512];

SEC("xdp")
int two_counters(struct xdp_md *ctx) {
  unsigned int at = 0;
  for (unsigned int i = 0; i < 100; i++) {
    asm volatile goto("may_goto %l[done]" : : : : done);
    if (at + 4 > sizeof(buffer)) break;
    buffer[at] = i;
    buffer[at + 3] = at;
    at += 4;
  }
done:
  return at;
}

char LICENSE[] SEC("license") = "GPL";
