	.text
	.p2align	3
	.type	helper_function,@function
	.size	helper_function, 40
helper_function:
	w1 *= 3
	r0 = r1
	exit
	.globl	start
start:
	r0 = 1
	exit
	.section	xdp,"ax",@progbits
	.p2align	3
	.globl	main
	.type	main,@function
	.size	main, 136
main:
	r1 = config ll
	w1 = *(u32 *)(r1 + 0)
	call helper_function
	w6 = w0
	call bpf_cpumask_create
	if r0 == 0 goto LBB0_2
	r1 = total ll
	*(u64 *)(r1 + 0) = 3
	r0 = r6
	r0 += 5
	if r0 == 7 goto .L0_81_1
	r0 = 1
.L0_81_1:
	exit
LBB0_2:
	r0 = r6
	exit
	.section	.rodata,"a",@progbits
	.p2align	2
	.globl	config
	.type	config,@object
	.size	config, 4
config:
	.byte	5, 0, 0, 0
	.bss
	.p2align	3
	.globl	total
	.type	total,@object
	.size	total, 8
total:
	.zero	8
	.section	.rodata.str1.1,"aMS",@progbits,1
	.type	message,@object
	.size	message, 3
message:
	.byte	104, 105, 0
	.section	.maps,"aw",@progbits
	.p2align	3
	.globl	map
	.type	map,@object
	.size	map, 40
map:
	.byte	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	.byte	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	.quad	inner
	.p2align	3
	.globl	inner
	.type	inner,@object
	.size	inner, 32
inner:
	.zero	32
	.section	license,"aw",@progbits
	.globl	LICENSE
	.type	LICENSE,@object
	.size	LICENSE, 4
LICENSE:
	.byte	71, 80, 76, 0
	.weak	bpf_cpumask_create
