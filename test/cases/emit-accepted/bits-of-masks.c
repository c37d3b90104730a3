// Bits of masks that are used for more, one in each round: what the verifier learns of a mask keeps rounds apart.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct session {
  __u64 first, second;
  __u32 count[64], last[64];
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, struct session);
} sessions SEC(".maps");

SEC("tc") int two_masks(struct __sk_buff *skb) {
  __u32 key = skb->hash;
  struct session *s = bpf_map_lookup_elem(&sessions, &key);
  if (!s) return 0;
  __u64 first = s->first, second = s->second;
  for (int i = 0; i < 64; i++) {
    if (!(first & (1ULL << i))) continue;
    s->count[i]++;
    if (second & (1ULL << i)) s->last[i] = skb->len;
  }
  return first > second ? 3 : first == 7;
}

SEC("tc") int several_masks(struct __sk_buff *skb) {
  __u32 key = skb->hash;
  __u64 masks[4] = {skb->cb[0], skb->cb[1], skb->cb[2], skb->hash};
  struct session *s = bpf_map_lookup_elem(&sessions, &key);
  if (!s) return 0;
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < 64; i++)
      if (masks[j] & (1ULL << i)) s->count[i]++;
  return 0;
}

SEC("tc") int used_bits(struct __sk_buff *skb) {
  __u32 key = skb->hash, mask = skb->mark;
  struct session *s = bpf_map_lookup_elem(&sessions, &key);
  if (!s) return 0;
  for (__u32 i = 0; i < 32; i++) {
    __u32 bit = 1U << i;
    if (!(mask & bit)) continue;
    s->first |= bit;
    s->count[i] = skb->len;
  }
  return mask > 77 ? 3 : mask == 7;
}

char _license[] SEC("license") = "GPL";
