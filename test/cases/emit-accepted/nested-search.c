// Optimised only: a small loop with ways out, in a loop: kept as a loop, the verifier's states of its rounds never meet.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct line {
  char text[128];
  __u32 length;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, struct line);
} lines SEC(".maps");
char needle[16] = "needle";

SEC("tc") int find(struct __sk_buff *skb) {
  __u32 key = 1;
  struct line *line = bpf_map_lookup_elem(&lines, &key);
  if (!line) return -1;
  __u32 length = line->length;
  if (length > 128) length = 128;
  for (__u32 i = 0; i < length; i++) {
    int j = 0;
    for (; j < 6 && i + j < 128; j++)
      if (line->text[i + j] != needle[j]) break;
    if (j == 6) return i;
  }
  return -1;
}
char _license[] SEC("license") = "GPL";
