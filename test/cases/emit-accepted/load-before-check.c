// Optimised only: a field that is read before the check, and wanted behind it alone.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

struct tag {
  __u16 id, proto;
};

struct place {
  struct xdp_md *ctx;
  __u16 id;
  __u8 offset;
};

static __always_inline int parse(struct place *place) {
  void *end = (void *)(long)place->ctx->data_end, *data = (void *)(long)place->ctx->data;
  __u8 offset = 14;
  if (data + offset > end) return 0;
  if (*(__u16 *)(data + 12) == bpf_htons(0x8100)) {
    struct tag *tag = data + offset;
    __u16 id = bpf_ntohs(tag->id);
    place->id = id & 0xfff;
    offset += sizeof *tag;
    if (data + offset > end) return 0;
    tag->id = bpf_htons(place->id);
  }
  place->offset = offset;
  return 1;
}

SEC("xdp") int prog(struct xdp_md *ctx) {
  struct place place = {.ctx = ctx};
  if (!parse(&place)) return XDP_DROP;
  unsigned char *data = (void *)(long)ctx->data + place.offset;
  if (data + 20 > (unsigned char *)(long)ctx->data_end) return XDP_DROP;
  return data[9] == 17 && place.id ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
