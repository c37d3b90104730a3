/* A word in the packet's payload, without regard to case; words, digits and vowels counted on the way. */
#include "workload.h"

#define LENGTH 256

char text[LENGTH];

static __always_inline char lower(char c) { return c >= 'A' && c <= 'Z' ? c | 32 : c; }

__attribute__((noinline)) int classify(unsigned char c) {
  int kind = 0;
  if (c >= '0' && c <= '9') kind = 1 << 8;
  switch (c) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
      return 1;
    case ' ':
    case '\t':
    case '\n':
    case '.':
    case ',':
      return 1 << 16;
  }
  return kind;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  void *start = PACKET_START(ctx), *end = PACKET_END(ctx);
  if (start + 100 + LENGTH > end) return 0;
  unsigned char *payload = start + 100;
  __u32 counts = 0, state = 0;
  for (int i = 0; i < LENGTH; i++) {
    char c = lower(payload[i] & 127);
    text[i] = c;
    counts += classify(c);
    state = (state << 5 | state >> 27) ^ (__u8)c;
  }
  return counts ^ state;
}
