	.text
	.globl	again
	.type	again,@function
.set again, other
	.weak	other
	.type	other,@function
.set other, real
	.globl	real
	.type	real,@function
real:
	r0 = 1
	exit
.Lend:
	.size	real, .Lend-real
	.globl	caller
	.type	caller,@function
caller:
	call again
	exit
.Lfunc_end1:
	.size	caller, .Lfunc_end1-caller
