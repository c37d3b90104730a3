// error: map 'm' is defined differently in b.c and a.c: value has different types
// file: a.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct v { int a; };
extern struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, int); __type(value, struct v); } m SEC(".maps");
SEC("xdp") int f(void *ctx) { int k = 0; return !bpf_map_lookup_elem(&m, &k); }
// file: b.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct v { int a, b; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, int); __type(value, struct v); } m SEC(".maps");
