/* Heap sort of numbers in a map value. */
#include "workload.h"
#define N 32
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32[N]); } heap SEC(".maps");
static __always_inline void down(__u32 *a, __u32 root, __u32 n) {
  for (int step = 0; step < 6; step++) {
    __u32 child = 2 * root + 1;
    if (child >= n || child >= N) break;
    if (child + 1 < n && child + 1 < N && a[child] < a[child + 1]) child++;
    if (root >= N) break;
    if (a[root] >= a[child & (N - 1)]) break;
    __u32 t = a[root]; a[root] = a[child & (N - 1)]; a[child & (N - 1)] = t;
    root = child;
  }
}
SEC("xdp") int workload(struct xdp_md *ctx) {
  __u32 key = 0; __u32 *a = bpf_map_lookup_elem(&heap, &key);
  if (!a) return 0;
  __u32 x = ctx->data_end - ctx->data, s = 0;
  for (int round = 0; round < 2; round++) {
  for (int i = 0; i < N; i++) { x ^= x << 13; x ^= x >> 17; x ^= x << 5; a[i] = x & 0xffff; }
  for (int i = N / 2 - 1; i >= 0; i--) down(a, i, N);
  for (int n = N - 1; n > 0; n--) { __u32 t = a[0]; a[0] = a[n]; a[n] = t; down(a, 0, n); }
  for (int i = 0; i < N; i++) s = s * 31 + a[i];
  }
  return s;
}
