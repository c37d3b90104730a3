// Counts in registers are taken modulo the width; 32-bit results are zero-extended.
// r0: 0x1
	r1 = 0x8123456789abcdef ll
	r2 = 68
	r3 = r1
	r3 <<= r2
	r4 = 0x123456789abcdef0 ll
	if r3 != r4 goto bad
	r3 = r1
	r3 s>>= r2
	r4 = 0xf8123456789abcde ll
	if r3 != r4 goto bad
	r3 = r1
	w3 s>>= w2
	r4 = 0xf89abcde ll
	if r3 != r4 goto bad
	r3 = r1
	w3 >>= 31
	if r3 != 1 goto bad
	r0 = r3
	exit
bad:
	r0 = 0
	exit
