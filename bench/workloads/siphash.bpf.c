#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* 64-bit rotations on four words that live in registers and on the stack. */
#define rotate(x, n) (((x) << (n)) | ((x) >> (64 - (n))))
#define round(a, b, c, d)                                                      \
	do {                                                                   \
		a += b; b = rotate(b, 13) ^ a; a = rotate(a, 32);              \
		c += d; d = rotate(d, 16) ^ c;                                 \
		a += d; d = rotate(d, 21) ^ a;                                 \
		c += b; b = rotate(b, 17) ^ c; c = rotate(c, 32);              \
	} while (0)

SEC("xdp") int siphash(struct xdp_md *ctx)
{
	__u64 *data = (__u64 *)(long)ctx->data, *end = (__u64 *)(long)ctx->data_end;
	__u64 a = 0x736f6d6570736575ULL, b = 0x646f72616e646f6dULL;
	__u64 c = 0x6c7967656e657261ULL, d = 0x7465646279746573ULL;

	for (int i = 0; i < 187; i++) {
		if (data + i + 1 > end)
			break;
		__u64 word = data[i];
		d ^= word;
		round(a, b, c, d);
		round(a, b, c, d);
		a ^= word;
	}
	round(a, b, c, d);
	return a ^ b ^ c ^ d;
}

char LICENSE[] SEC("license") = "GPL";
