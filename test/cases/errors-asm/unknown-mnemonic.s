	.text
main:
	r0 = frobnicate 5 # error
	exit
