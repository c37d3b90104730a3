# Every form of instruction, in LLVM's and in the kernel's syntax.
	.section	socket,"ax",@progbits
	.globl	main
	.type	main,@function
	.p2align	3
main:
	r6 = r1
	w0 = w6; r0 += 5 // two statements on a line
	r0 s/= r1
	w0 s%= -7
	r0 <<= 63
	w0 s>>= w2
	r0 = -r0
	r3 = (s8)r4
	w3 = (s16)w4
	r5 = w4
	r3 = be64 r3
	r3 = bswap16 r3
	r1 = 0x123456789abcdef0 ll
	r1 = -1 ll
	r2 = table+8 ll
	w2 = *(u8 *)(r6 + 0)
	r2 = *(u32*)(r6)
	r2 = *(s32 *)(r10 -4)
	*(u64 *)(r10 - 8) = r2
	*(u16 *)(r10 - 8 + 2) = (1 << 4) - 1
	lock *(u64 *)(r1 + 0) += r2
	r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)
	w2 = xchg32_32(r1 + 4, w2)
	r0 = cmpxchg_64(r1 + 0, r0, r3)
	r2 = atomic64_xchg((u64 *)(r1 +0), r2)
	r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r3)
	w1 = load_acquire((u32 *)(r2 + 0))
	store_release((u8 *)(r1 + 0), w2)
	r0 = *(u16 *)skb[12]
	r0 = *(u8 *)skb[r7]
	r0 = *(u32 *)skb[r7 + 4]
	r1 = addr_space_cast(r2, 0, 1)
	ld_pseudo	r1, 1, 7
again:
	if r1 > 0xff goto again
	if w1 s<= w2 goto done
	if r1 & 8 goto +1
	may_goto again
1:	goto 1b
	gotol 1f
1:	call 1
	call helper
	call outside
	call pc-1
	call kfunc 77
	callx r3
	gotox r4
done:
	exit

	.text
	.type	helper,@function
helper:
	r0 = 0
	exit
.Lhelper_end:
	.size	helper, .Lhelper_end-helper

	.section	.rodata,"a",@progbits
	.type	table,@object
table:
	.quad	helper
	.quad	table+8
	.long	.Ltable_end-table
	.byte	1, 2, 0x30, 'A'
	.short	-1
	.asciz	"a\tb\"c\n\000\377"
.Ltable_end:
	.size	table, .Ltable_end-table
	.weak	missing
