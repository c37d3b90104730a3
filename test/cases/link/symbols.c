// file: first.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct point {
  int x;
  struct other *link;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, int);
  __type(value, struct point);
} shared SEC(".maps");

int counter = 7;
static int own = 3;
const volatile int limit = 1;
int zero_first;
extern int second(int x);

__weak __noinline int choose(int a) { return a + 1; }
static __noinline int local(int a) { return a * own++; }

SEC("xdp") int first_program(struct xdp_md *ctx) {
  int key = 1;
  struct point *p = bpf_map_lookup_elem(&shared, &key);
  if (p) counter += p->x;
  return second(counter) + local(ctx->ingress_ifindex) + choose(2) + limit + zero_first++;
}

char _license[] SEC("license") = "GPL";
// file: second.c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct other {
  int q;
};
struct point {
  int x;
  struct other *link;
};

extern struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10);
  __type(key, int);
  __type(value, struct point);
} shared SEC(".maps");

extern int counter;
static int own = 5;
int zero_second;
struct other pair = {1};

static __noinline int local(int a) { return a + own++ + pair.q; }
__noinline int choose(int a) { return a + 2; }
__noinline int second(int x) {
  counter++;
  return local(x) + zero_second++;
}

SEC("xdp") int second_program(struct xdp_md *ctx) {
  int key = 2;
  struct point *p = bpf_map_lookup_elem(&shared, &key);
  return p ? p->x : second(3) + choose(1);
}

char LICENSE[] SEC("license") = "GPL";
