	.text
main:
	r0 = r11 # error
	exit
