#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

/* 32-bit mixing, three words at a time. */
#define rotate(x, n) (((x) << (n)) | ((x) >> (32 - (n))))

SEC("xdp") int jhash(struct xdp_md *ctx)
{
	__u32 *data = (__u32 *)(long)ctx->data, *end = (__u32 *)(long)ctx->data_end;
	__u32 a = 0xdeadbeef, b = a, c = a;

	for (int i = 0; i < 124; i++) {
		__u32 *word = data + i * 3;
		if (word + 3 > end)
			break;
		a += word[0];
		b += word[1];
		c += word[2];
		a -= c; a ^= rotate(c, 4); c += b;
		b -= a; b ^= rotate(a, 6); a += c;
		c -= b; c ^= rotate(b, 8); b += a;
		a -= c; a ^= rotate(c, 16); c += b;
		b -= a; b ^= rotate(a, 19); a += c;
		c -= b; c ^= rotate(b, 4); b += a;
	}
	return c;
}

char LICENSE[] SEC("license") = "GPL";
