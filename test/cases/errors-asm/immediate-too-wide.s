	.text
main:
	r0 += 0x123456789 # error
	exit
