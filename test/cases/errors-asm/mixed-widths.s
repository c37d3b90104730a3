	.text
main:
	w0 = r1 # error
	exit
