/* A recogniser of numbers (sign, digits, fraction, exponent): a switch of states, and a test of digits in each. */
#include "workload.h"

char text[128] = "12 -7 +3.25 6.02e23 .5 1e-9 0x7f 100 -0.001 3..4 e5 +-1 99999 1.e 7e+77 12345.678e-90 42 ";

enum state { START, SIGN, DIGITS, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS, BAD };

static __always_inline enum state next(enum state state, char c) {
  int digit = c >= '0' && c <= '9', sign = c == '+' || c == '-';
  switch (state) {
    case START:
      return digit ? DIGITS : sign ? SIGN : c == '.' ? POINT : BAD;
    case SIGN:
      return digit ? DIGITS : c == '.' ? POINT : BAD;
    case DIGITS:
      return digit ? DIGITS : c == '.' ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : BAD;
    case POINT:
      return digit ? FRACTION : BAD;
    case FRACTION:
      return digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : BAD;
    case EXPONENT:
      return digit ? EXPONENT_DIGITS : sign ? EXPONENT_SIGN : BAD;
    case EXPONENT_SIGN:
      return digit ? EXPONENT_DIGITS : BAD;
    case EXPONENT_DIGITS:
      return digit ? EXPONENT_DIGITS : BAD;
    default:
      return BAD;
  }
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 good = 0, bad = 0;
  enum state state = START;
  for (int i = 0; i < 240; i++) {
    char c = text[i & 127];
    if (c != ' ') {
      state = next(state, c);
      continue;
    }
    if (state == DIGITS || state == FRACTION || state == EXPONENT_DIGITS) good++;
    else bad++;
    state = START;
  }
  return good * 100 + bad;
}
