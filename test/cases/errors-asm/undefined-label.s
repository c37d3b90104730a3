	.text
main:
	if r1 == 0 goto nowhere # error
	exit
