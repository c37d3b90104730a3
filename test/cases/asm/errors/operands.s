	r11 = 5                 # error: unknown instruction 'r11'
	r1 = r11                # error: expected 'll' after the symbol
	w1 = r2                 # error: expected the 32-bit register w2
	r1 += w2                # error: expected the 64-bit register r2
	r1 = be16 r2            # error: must be the register that is assigned to
	r1 = -r2                # error: must be the register that is assigned to
	r1 = 0x1ffffffff        # error: immediate 8589934591 does not fit 32 bits
	r1 = 99999999999999999999999 ll # error: 99999999999999999999999 does not fit 64 bits
	w1 = 5 ll               # error: a 64-bit value needs an r register
	r1 ~= 5                 # error: unknown operator '~'
	r1 = *(u128 *)(r2 + 0)  # error: expected u8, u16, u32 or u64
	r1 = *(u32 *)(r2 + 40000) # error: offset 40000 does not fit 16 bits
	w1 = *(u64 *)(r2 + 0)   # error: this load fills 64 bits: expected an r register
	*(s32 *)(r1 + 0) = r2   # error: expected an unsigned type
	lock *(u16 *)(r1 + 0) += w2 # error: atomic operations are on u32 or u64
	lock *(u64 *)(r1 + 0) <<= r2 # error: expected +=, |=, &= or ^=
	r1 = cmpxchg_64(r1 + 0, r0, r2) # error: cmpxchg compares with and returns in r0
	r1 = *(u8 *)skb[0]      # error: packet loads fill r0
	r1 = 5 6                # error: unexpected '6'
	mov r1, 5               # error: unknown instruction 'mov'
	if r1 =< 5 goto +1      # error: unknown comparison '='
	if r1 > 5 jump +1       # error: expected 'goto'
	goto 70000              # error: jump offset 70000 does not fit 16 bits
	r1 = 1 / 0              # error: division by zero
	r1 = (1 + 2             # error: expected ')'
