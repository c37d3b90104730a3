	.text
main:
	r0 = 0
main: # error
	exit
