// By zero: 0 for division, the dividend for remainder. INT_MIN / -1 wraps.
// r0: 0x8000000000000010
	r1 = 0x8000000000000000 ll
	r2 = -1
	r3 = 0
	r4 = r1
	r4 s/= r2
	if r4 != r1 goto bad
	r4 = r1
	r4 s%= r2
	if r4 != 0 goto bad
	r4 = 77
	r4 /= r3
	if r4 != 0 goto bad
	r4 = 77
	r4 %= r3
	if r4 != 77 goto bad
	w4 = -8
	w4 s/= 3
	w5 = -2
	if r4 != r5 goto bad
	r4 = -7
	w4 s%= 4
	w5 = -3
	if r4 != r5 goto bad
	w4 = w2
	w4 /= 16
	r5 = 0xfffffff ll
	if r4 != r5 goto bad
	r4 = 0xffffffff00000007 ll
	w4 %= w3
	if r4 != 7 goto bad
	r0 = r1
	r0 |= 16
	exit
bad:
	r0 = r4
	exit
