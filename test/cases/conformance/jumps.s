// Signed and unsigned, 64 and 32 bits, long jumps, both directions.
// r0: 0x1f
	r0 = 0
	r1 = -5
	r2 = 3
	if r1 > r2 goto +1
	goto out
	r0 |= 1
	if r1 s< r2 goto +1
	goto out
	r0 |= 2
	r3 = 0xfffffffb ll
	if w1 == w3 goto +1
	goto out
	r0 |= 4
	if r1 == r3 goto out
	if r1 & 4 goto out
	if r1 & 2 goto next
	goto out
next:
	r0 |= 8
	gotol far
out:
	exit
far:
	r0 |= 16
	if w2 s>= -1 goto out
	r0 = 0
	exit
