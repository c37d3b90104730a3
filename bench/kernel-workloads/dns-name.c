/* Names of DNS queries as text with dots, in lower case, and their hashes. */
#include "workload.h"

__u8 query[128] = "\003www\007Example\003COM\0\001\0\001\004mail\012googlemail\002co\002UK\0";
char text[128];

static __always_inline int read_name(__u32 at, __u32 *hash) {
  __u32 left = 0, sum = 5381;
  int length = 0;
  for (int i = 0; i < 64; i++) {
    if (at >= sizeof(query)) return -1;
    __u8 c = query[at++];
    if (left == 0) {
      if (c == 0) break;
      if (c > 63) return -2;
      left = c;
      if (length > 0 && length < 128) {
        text[length++] = '.';
        sum = sum * 33 ^ '.';
      }
      continue;
    }
    left--;
    if (c >= 'A' && c <= 'Z') c += 32;
    sum = sum * 33 ^ c;
    if (length < 0 || length > 127) return -3;
    text[length++] = c;
  }
  *hash = sum;
  return length;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 sum = 0, hash = 0;
  for (int i = 0; i < 12; i++) {
    sum += read_name(0, &hash);
    sum ^= hash;
    sum += read_name(21, &hash);
    sum ^= hash * 3;
  }
  return sum;
}
