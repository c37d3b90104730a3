	.text
start:
	goto nowhere            # error: undefined label 'nowhere'
	if r1 == 0 goto other   # error: label 'other' is in another section
start:                          # error: symbol 'start' is already defined
	goto 1b                 # error: no label for '1b'
.set alias, nothing             # error: 'alias' is set to 'nothing', which is no label of this file
	.section	xdp,"ax",@progbits
other:
	exit
