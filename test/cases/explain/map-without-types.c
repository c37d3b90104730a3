#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

struct lv { struct bpf_spin_lock l; int x; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __uint(key_size, 4); __uint(value_size, sizeof(struct lv)); } lm SEC(".maps");
SEC("xdp") int p(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct lv *v = bpf_map_lookup_elem(&lm, &key);
	if (!v) return 0;
	bpf_spin_lock(&v->l);
	v->x++;
	bpf_spin_unlock(&v->l);
	return 0;
}
