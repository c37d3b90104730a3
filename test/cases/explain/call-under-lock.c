#include "explain.h"
char LICENSE[] SEC("license") = "GPL";

struct lv { struct bpf_spin_lock l; int x; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, int); __type(value, struct lv); } lm SEC(".maps");
SEC("tc") int p(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct lv *v = bpf_map_lookup_elem(&lm, &key);
	if (!v) return 0;
	bpf_spin_lock(&v->l);
	v->x = bpf_get_prandom_u32();
	bpf_spin_unlock(&v->l);
	return 0;
}
