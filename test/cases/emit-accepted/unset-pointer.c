// Where the header is not there the pointer is not set, and its end is compared all the same: what it would have been
// set to is known, and not before the end. An access by a relocated offset says nothing of that.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct icmp6hdr {
  __u8 icmp6_type;
  __u8 icmp6_code;
  __u16 icmp6_cksum;
  __u32 icmp6_data;
} __attribute__((preserve_access_index));

static __always_inline int parse(void *pos, void *end, struct icmp6hdr **out) {
  struct icmp6hdr *header = pos;
  if ((void *)(header + 1) > end) return -1;
  *out = header;
  return header->icmp6_type;
}

SEC("xdp")
int unset(struct xdp_md *ctx) {
  void *end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;
  struct icmp6hdr *header;
  int type = parse(data, end, &header);
  if ((void *)(header + 1) > end) return XDP_PASS;
  return header->icmp6_code == 128 ? XDP_DROP : type & 1;
}

char _license[] SEC("license") = "GPL";
