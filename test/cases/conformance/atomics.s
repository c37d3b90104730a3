// Each operation with and without fetch, at both sizes, beside memory that must not change.
// r0: 0x600000015
	r1 = -1
	*(u64 *)(r10 - 8) = r1
	*(u64 *)(r10 - 16) = r1
	*(u32 *)(r10 - 8) = 5
	w2 = 6
	w2 = atomic_fetch_add((u32 *)(r10 - 8), w2)
	if r2 != 5 goto bad
	r3 = *(u64 *)(r10 - 8)
	r4 = 0xffffffff0000000b ll
	if r3 != r4 goto bad
	r2 = 0xf0 ll
	r2 = atomic_fetch_xor((u64 *)(r10 - 16), r2)
	if r2 != -1 goto bad
	r3 = *(u64 *)(r10 - 16)
	if r3 != -241 goto bad
	r2 = 21
	r2 = xchg_64(r10 - 16, r2)
	if r2 != -241 goto bad
	r0 = 11
	r2 = 6
	w0 = cmpxchg32_32(r10 - 8, w0, w2)
	if r0 != 11 goto bad
	r0 = 1
	r2 = 9
	r0 = cmpxchg_64(r10 - 16, r0, r2)
	if r0 != 21 goto bad
	r3 = *(u32 *)(r10 - 8)
	r3 <<= 32
	lock *(u64 *)(r10 - 16) |= r3
	r0 = *(u64 *)(r10 - 16)
	exit
bad:
	r0 = 0
	exit
