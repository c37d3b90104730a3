/* Longest common subsequence of two parts of the packet, in a table of rows in a map value. */
#include "workload.h"

#define LENGTH 20

struct scratch {
  __u8 first[LENGTH], second[LENGTH];
  __u16 table[LENGTH + 1][LENGTH + 1];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratch SEC(".maps");

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u8 *bytes = PACKET_START(ctx);
  if ((void *)(bytes + 64) > PACKET_END(ctx)) return 0;
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratch, &zero);
  if (!s) return 0;
  for (int i = 0; i < LENGTH; i++) {
    s->first[i] = bytes[14 + i] & 3;
    s->second[i] = bytes[34 + i] & 3;
  }
  for (int i = 0; i <= LENGTH; i++) s->table[0][i] = s->table[i][0] = 0;
  for (int i = 1; i <= LENGTH; i++) {
    for (int j = 1; j <= LENGTH; j++) {
      if (s->first[i - 1] == s->second[j - 1]) {
        s->table[i][j] = s->table[i - 1][j - 1] + 1;
      } else {
        __u16 above = s->table[i - 1][j], left = s->table[i][j - 1];
        s->table[i][j] = above > left ? above : left;
      }
    }
  }
  return s->table[LENGTH][LENGTH];
}
