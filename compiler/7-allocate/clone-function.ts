/** A copy of a machine function without phis, to try one way of allocating registers beside another. */
import type {
  AsmBody,
  LocatedTerminator,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
} from "../6-select/machine.ts";

/** Shares with the original what allocation does not write to: locations, sources, slots. */
export function cloneFunction(fn: MachineFunction): MachineFunction {
  const copies = new Map<MachineBlock, MachineBlock>(
    fn.blocks.map((block) => [
      block,
      { ...block, phis: [], instructions: block.instructions.map(cloneInstruction) },
    ]),
  );
  const copyOf = (block: MachineBlock): MachineBlock => copies.get(block) ?? block;
  for (const copy of copies.values()) copy.terminator = cloneTerminator(copy.terminator, copyOf);
  return { ...fn, blocks: [...copies.values()], slots: fn.slots.map((slot) => ({ ...slot })) };
}

function cloneInstruction(op: MachineInstruction): MachineInstruction {
  if ("address" in op) return { ...op, address: { ...op.address } };
  return op.kind === "asm" ? { ...op, body: cloneBody(op.body) } : { ...op };
}

function cloneBody(body: AsmBody): AsmBody {
  return { ...body, operands: body.operands.map((operand) => ({ ...operand })) };
}

function cloneTerminator(
  end: LocatedTerminator,
  copyOf: (block: MachineBlock) => MachineBlock,
): LocatedTerminator {
  switch (end.kind) {
    case "jump":
      return { ...end, target: copyOf(end.target) };
    case "branch":
      return { ...end, then: copyOf(end.then), otherwise: copyOf(end.otherwise) };
    case "asm_goto":
      return {
        ...end,
        body: cloneBody(end.body),
        next: copyOf(end.next),
        labels: end.labels.map(copyOf),
      };
    case "exit":
    case "end":
      return { ...end };
  }
}
