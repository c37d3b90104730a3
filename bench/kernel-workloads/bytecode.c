/* A small bytecode machine: operations over eight registers in a switch. */
#include "workload.h"

enum op { OP_HALT, OP_LI, OP_ADD, OP_SUB, OP_MUL, OP_XOR, OP_SHL, OP_SHR, OP_LD, OP_ST, OP_JNZ, OP_DEC };

struct insn { __u8 op, dst, src; __s8 imm; };

static const struct insn program[16] = {
	{ OP_LI, 0, 0, 20 },
	{ OP_LI, 1, 0, 7 },
	{ OP_LI, 2, 0, 3 },
	{ OP_ADD, 1, 2, 0 },
	{ OP_MUL, 1, 2, 0 },
	{ OP_XOR, 2, 1, 0 },
	{ OP_SHR, 1, 0, 1 },
	{ OP_ST, 2, 1, 3 },
	{ OP_LD, 3, 1, 3 },
	{ OP_SUB, 2, 3, 0 },
	{ OP_ADD, 4, 1, 0 },
	{ OP_DEC, 0, 0, 0 },
	{ OP_JNZ, 0, 0, 3 },
	{ OP_HALT, 0, 0, 0 },
};

__u32 memory[32];

SEC("xdp")
int workload(struct xdp_md *ctx)
{
	__u32 regs[8] = {};
	__u32 pc = 0;

	for (int step = 0; step < 256; step++) {
		const struct insn *in = &program[pc & 15];
		__u32 *d = &regs[in->dst & 7];
		__u32 s = regs[in->src & 7];
		pc++;
		switch (in->op) {
		case OP_HALT: goto out;
		case OP_LI: *d = in->imm; break;
		case OP_ADD: *d += s; break;
		case OP_SUB: *d -= s; break;
		case OP_MUL: *d *= s; break;
		case OP_XOR: *d ^= s; break;
		case OP_SHL: *d <<= in->imm & 31; break;
		case OP_SHR: *d >>= in->imm & 31; break;
		case OP_LD: *d = memory[(s + in->imm) & 31]; break;
		case OP_ST: memory[(s + in->imm) & 31] = *d; break;
		case OP_JNZ: if (*d) pc = in->imm; break;
		case OP_DEC: --*d; break;
		}
	}
out:
	return regs[4] ^ regs[2];
}
