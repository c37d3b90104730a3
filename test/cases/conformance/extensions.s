// Sign-extending moves and loads, byte swaps.
// mem: 80 ff 7f 81 82 83 84 f5
// r0: 0xfffffffffffffff5
	r6 = r1
	r0 = *(s8 *)(r6 + 0)
	if r0 != -128 goto bad
	r0 = *(s16 *)(r6 + 0)
	if r0 != -128 goto bad
	r0 = *(s32 *)(r6 + 0)
	r1 = 0xffffffff817fff80 ll
	if r0 != r1 goto bad
	r0 = *(u64 *)(r6 + 0)
	r2 = r0
	r2 = be64 r2
	r1 = 0x80ff7f81828384f5 ll
	if r2 != r1 goto bad
	r2 = r0
	r2 = bswap16 r2
	r1 = 0x80ff ll
	if r2 != r1 goto bad
	r2 = r0
	r2 = le32 r2
	r1 = 0x817fff80 ll
	if r2 != r1 goto bad
	r0 >>= 56
	w1 = (s8)w0
	r2 = 0xfffffff5 ll
	if r1 != r2 goto bad
	r0 = (s8)r0
	exit
bad:
	r0 = 0
	exit
