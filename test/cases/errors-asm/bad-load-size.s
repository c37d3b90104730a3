	.text
main:
	r0 = *(u24 *)(r1 + 0) # error
	exit
