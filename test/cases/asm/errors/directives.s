	.nonsense	5       # error: unknown directive '.nonsense'
	.section	.x,"q"  # error: unknown section flag 'q'
	.section	.x,"",@strange # error: unknown section type '@strange'
	.byte	256             # error: 256 does not fit 1 bytes
	.p2align	99      # error: 99 is not between 0 and 31
	.balign	3               # error: alignment must be a power of 2
	.type	f,@struct       # error: unknown symbol type '@struct'
	.size	f, g            # error: a symbol's size must be a number
	.zero	-1              # error: -1 is not between 0 and 268435456
	.popsection             # error: no section was pushed
	.asciz	5               # error: expected a string
	.short	f               # error: this expression cannot be put into the object
	.long	a - b           # error: this expression cannot be put into the object
	.bss
	.long	7               # error: section '.bss' can only hold zeroes
	r1 = ` # error: unexpected character '`'
	.ascii "open            # error: unterminated string
f:
