/* A connection's states by a switch, and how long each lasts: flags from a generator. */
#include "workload.h"

enum { CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, STATES };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };

static __always_inline __u32 step(__u32 state, __u32 flags) {
  if (flags & RST) return CLOSED;
  switch (state) {
    case CLOSED: return flags & SYN ? SYN_RECEIVED : LISTEN;
    case LISTEN: return flags & SYN ? SYN_RECEIVED : LISTEN;
    case SYN_SENT: return (flags & (SYN | ACK)) == (SYN | ACK) ? ESTABLISHED : SYN_SENT;
    case SYN_RECEIVED: return flags & ACK ? ESTABLISHED : SYN_RECEIVED;
    case ESTABLISHED: return flags & FIN ? CLOSE_WAIT : ESTABLISHED;
    case FIN_WAIT: return flags & FIN ? TIME_WAIT : FIN_WAIT;
    case CLOSE_WAIT: return flags & ACK ? LAST_ACK : CLOSE_WAIT;
    case LAST_ACK: return flags & ACK ? TIME_WAIT : LAST_ACK;
    default: return CLOSED;
  }
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 x = 7, now = 0, result = 0;
  __u32 state = CLOSED, since = 0, longest = 0;
  for (int i = 0; i < 200; i++) {
    x = x * 1103515245 + 12345;
    __u32 flags = x >> 28;
    now += 1 + (x >> 16 & 31);
    __u32 next = step(state, flags & 7);
    if (next != state) {
      __u32 length = now - since;
      if (length > longest) longest = length;
      since = now;
      result = result * 9 + next;
    }
    state = next;
  }
  return result ^ longest;
}
