/* A scanner of JSON: depth, strings with escapes, numbers, words, and how many of each. */
#include "workload.h"

char json[256] = "{\"name\":\"x\\\"y\",\"list\":[1,22,333,-4.5e6],\"deep\":{\"a\":{\"b\":[[],[[7]]]}},\"t\":true,\"n\":null,\"s\":\"long text with spaces, and: signs\"}";

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 depth = 0, deepest = 0, strings = 0, numbers = 0, words = 0, in_string = 0, escaped = 0, in_token = 0;
  for (int i = 0; i < 240; i++) {
    char c = json[i & 255];
    if (in_string) {
      if (escaped) escaped = 0;
      else if (c == '\\') escaped = 1;
      else if (c == '"') in_string = 0;
      continue;
    }
    switch (c) {
      case '"':
        in_string = 1;
        strings++;
        in_token = 0;
        break;
      case '{':
      case '[':
        depth++;
        deepest += depth;
        in_token = 0;
        break;
      case '}':
      case ']':
        depth--;
        in_token = 0;
        break;
      case ',':
      case ':':
      case ' ':
        in_token = 0;
        break;
      default:
        if (!in_token) {
          if ((c >= '0' && c <= '9') || c == '-') numbers++;
          else words++;
        }
        in_token = 1;
    }
  }
  return depth + 10 * deepest + 100 * strings + 10000 * numbers + 1000000 * words;
}
