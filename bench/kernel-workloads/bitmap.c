/* Takes free numbers from a bitmap, word by word. */
#include "workload.h"

#define WORDS 64

__u64 bitmap[WORDS];

static const __u8 positions[64] = {
    0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28, 62, 5,  39, 46, 44, 42,
    22, 9,  24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
    23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
};

/* The position of the only bit that is set. */
static __always_inline int position(__u64 bit) {
  return positions[bit * 0x022fdd63cc95386dULL >> 58];
}

static __always_inline int take(void) {
  for (int i = 0; i < WORDS; i++) {
    __u64 word = bitmap[i];
    __u64 bit = ~word & (word + 1);
    if (bit == 0) continue;
    bitmap[i] = word | bit;
    return i * 64 + position(bit);
  }
  return -1;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 result = 0;
  for (int i = 0; i < WORDS; i++) bitmap[i] = i % 4 ? ~0ULL : ~0ULL >> i;
  for (int i = 0; i < 40; i++) {
    int number = take();
    if (number < 0) break;
    result = result * 33 + number;
  }
  return result;
}
