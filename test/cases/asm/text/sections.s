# Sections, symbols and data directives.
size = 16
	.file	"sections.c"
	.section	"kprobe/do_unlinkat","ax",@progbits
	.globl	entry
	.hidden	entry
	.type	entry,@function
entry:
	r1 = text ll
	r1 = text+1 ll
	r2 = counter ll
	call 6
	exit
	.size	entry, .-entry

	.section	.rodata.str1.1,"aMS",@progbits,1
text:
	.string	"first"
	.asciz	"second", "third"
	.ident	"made by hand"

	.section	.maps,"aw",@progbits
	.globl	map
	.p2align	3, 0x0
	.type	map,@object
map:
	.zero	size * 2
	.size	map, 32

	.bss
	.type	counter,@object
counter:
	.skip	8
	.size	counter, 8
	.comm	shared,24,8
	.lcomm	private,4,4

	.pushsection	.debug_x,"",@progbits
	.uleb128	300
	.sleb128	-2
	.uleb128	.Ly-.Lx
.Lx:
	.fill	3, 2, 7
.Ly:
	.popsection

	.section	license,"aw",@progbits
	.globl	_license
_license:
	.asciz	"GPL"
	.addrsig
	.addrsig_sym entry

	.section	"8tail","ax",@progbits
	exit
