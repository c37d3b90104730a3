// Optimised only: sixteen values on the stack, each tested in one part and again in the next.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
  __u64 id;
  __u32 count;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16);
  __type(key, __u32);
  __type(value, struct event);
} events SEC(".maps");

SEC("kprobe/prog") int prog(__u64 *ctx) {
  __u64 parts[16] = {};
  __u32 count = 0;
  if (bpf_probe_read_kernel(parts, sizeof parts, (void *)ctx[14])) return 0;
#pragma unroll
  for (int i = 0; i < 16; i++) {
    __u64 id = 0;
    if (!parts[i]) continue;
    bpf_probe_read_kernel(&id, sizeof id, (void *)(parts[i] + 8));
    if (id) count++;
  }
#pragma unroll
  for (int i = 0; i < 16; i++) {
    struct event event = {};
    __u32 key = i;
    if (!parts[i]) continue;
    bpf_probe_read_kernel(&event.id, sizeof event.id, (void *)(parts[i] + 8));
    if (!event.id) continue;
    event.count = count;
    bpf_map_update_elem(&events, &key, &event, BPF_ANY);
  }
  return 0;
}
char _license[] SEC("license") = "GPL";
