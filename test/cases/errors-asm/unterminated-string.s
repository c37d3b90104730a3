	.section .rodata,"a",@progbits
text:
	.asciz "no end # error
	.byte 1
