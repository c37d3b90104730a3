// More stack objects than the optimiser follows one by one, each written by a helper alone after its lifetime begins.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static volatile const __u32 numbers[4] = {7, 11, 13, 17};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} cell SEC(".maps");

#define ADD(n)                                                       \
  do {                                                               \
    __u32 value;                                                     \
    bpf_probe_read_kernel(&value, sizeof value, place);              \
    *place = value * 3 + numbers[(n) & 3];                           \
    sum = sum * 5 + value;                                           \
  } while (0)
#define FOUR(n) ADD(n); ADD(n + 1); ADD(n + 2); ADD(n + 3)
#define SIXTEEN(n) FOUR(n); FOUR(n + 5); FOUR(n + 10); FOUR(n + 15)

SEC("syscall") int program(void *ctx) {
  __u32 key = 0, sum = 0;
  __u32 *place = bpf_map_lookup_elem(&cell, &key);
  if (!place)
    return -1;
  *place = 1;
  SIXTEEN(1);
  SIXTEEN(2);
  SIXTEEN(3);
  return sum;
}
char _license[] SEC("license") = "GPL";
