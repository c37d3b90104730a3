	.text
main:
	r0 = *(u64 *)(r1 + 40000) # error
	exit
