	.text
	.frobnicate 4 # error
main:
	exit
