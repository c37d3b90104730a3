// Optimised only: a text in the context is never looked at, as no answer depends on it: of two equal bytes neither is 0.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct text {
  char name[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct text);
} wanted SEC(".maps");

SEC("tracepoint/sched/sched_process_exec") int by_name(unsigned *ctx) {
  __u32 key = 0;
  struct text *text = bpf_map_lookup_elem(&wanted, &key);
  if (!text) return 0;
  char *name = (char *)ctx + (ctx[2] & 0xffff);
  int match = 0;
  for (int i = 0; i < 15; i++) {
    if (text->name[i] == 0) break;
    if (name[i] != text->name[i]) return 1;
    if (name[i] == 0) {
      match = 1;
      break;
    }
  }
  if (!match) return 1;
  return 2;
}

char license[] SEC("license") = "GPL";
