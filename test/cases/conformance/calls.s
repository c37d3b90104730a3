// Callees get r1–r5, keep r6–r9 for the caller and have a stack of their own.
// r0: 0x78
	r6 = 6
	*(u64 *)(r10 - 8) = 100
	r1 = 4
	r5 = 5
	call outer
	if r6 != 6 goto bad
	r1 = *(u64 *)(r10 - 8)
	if r1 != 100 goto bad
	exit
bad:
	r0 = 0
	exit
	.text
	.type outer,@function
outer:
	r6 = r1
	*(u64 *)(r10 - 8) = r5
	r1 = 6
	call inner
	r0 *= r6
	r1 = *(u64 *)(r10 - 8)
	r0 *= r1
	exit
	.type inner,@function
inner:
	r6 = 0
	*(u64 *)(r10 - 8) = 0
	r0 = r1
	exit
