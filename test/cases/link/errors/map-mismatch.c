// error: map 'm' is defined differently in b.c and a.c: max_entries is 8 and 4
// file: a.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
extern struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, int); __type(value, long); } m SEC(".maps");
SEC("xdp") int f(void *ctx) { int k = 0; return !bpf_map_lookup_elem(&m, &k); }
// file: b.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 8); __type(key, int); __type(value, long); } m SEC(".maps");
