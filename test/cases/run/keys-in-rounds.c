// Two keys whose lifetimes follow each other in every round of an unrolled loop share a stack slot: the second
// key holds the same number in all rounds, but what it held in one is lost by the next.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} counts SEC(".maps");

SEC("syscall") int program(void *ctx) {
  int sum = 0;
  for (__u32 round = 0; round < 2; round++) {
    {
      __u32 first = round & 3;
      bpf_map_lookup_elem(&counts, &first);
    }
    __u32 second = 0;
    __u64 *count = bpf_map_lookup_elem(&counts, &second);
    if (count) {
      *count += 1;
      sum = sum * 10 + *count;
    }
  }
  return sum;
}
char _license[] SEC("license") = "GPL";
