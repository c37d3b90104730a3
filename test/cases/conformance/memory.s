// r1 and r2 are the memory and its length; stores of all sizes, immediates are sign-extended.
// mem: 00 00 00 00 00 00 00 00 00 00
// r0: 0xbbfffeffaaffffff
	if r2 != 10 goto bad
	*(u64 *)(r1 + 2) = -1
	*(u8 *)(r1 + 5) = 0xaa
	*(u16 *)(r1 + 7) = -2
	r3 = 0xbb
	*(u8 *)(r1 + 9) = r3
	r0 = *(u64 *)(r1 + 2)
	r3 = *(u16 *)(r1 + 0)
	if r3 == 0 goto good
bad:
	r0 = 1
good:
	exit
