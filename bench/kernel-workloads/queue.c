/* A queue of samples in a map value: head, tail and total beside the array. */
#include "workload.h"

struct queue {
  __u32 head, tail;
  __u64 total;
  struct {
    __u32 time, bytes;
  } samples[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct queue);
} queues SEC(".maps");

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 key = 0, now = 1000;
  struct queue *queue = bpf_map_lookup_elem(&queues, &key);
  if (!queue) return 0;
  queue->head = queue->tail = queue->total = 0;
  for (int i = 0; i < 200; i++) {
    __u32 size = 64 + (i * 97) % 1400;
    now += 10 + (i & 7);
    queue->samples[queue->head & 15].time = now;
    queue->samples[queue->head & 15].bytes = size;
    queue->head++;
    queue->total += size;
    if (queue->head - queue->tail >= 12) {
      queue->total -= queue->samples[queue->tail & 15].bytes;
      queue->tail++;
    }
  }
  return queue->total;
}
