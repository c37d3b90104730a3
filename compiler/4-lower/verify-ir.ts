/**
 * Checks what ir.ts promises: block shape, types of operands, definitions before uses, and that the
 * symbols which are named exist. Every problem is a bug of the phase that made the IR.
 */
import { appendAll } from "../../common/append.ts";
import { dominatorTree, predecessors, reversePostOrder } from "./cfg.ts";
import type {
  Block,
  IrFunction,
  IrInstruction,
  IrModule,
  IrType,
  Operation,
  OperationName,
  Value,
} from "./ir.ts";
import { bitWidth } from "./ir.ts";
import { isTerminator, successors, type ValueType } from "./ir-builder.ts";
import { printInstruction } from "./print-ir.ts";

export interface IrProblem {
  readonly message: string;
  readonly function: string;
  /** e.g. `b3`. */
  readonly block?: string;
  /** The instruction as text. */
  readonly instruction?: string;
}

export function verifyModule(module: IrModule): IrProblem[] {
  const problems: IrProblem[] = [];
  const names = new Set<string>();
  const declare = (name: string): void => {
    if (names.has(name)) problems.push({ message: `@${name} is defined twice`, function: name });
    names.add(name);
  };
  for (const global of module.globals) declare(global.name);
  for (const fn of module.functions) declare(fn.name);
  for (const { name } of module.externFunctions) declare(name);
  for (const global of module.globals) {
    if (global.data !== undefined && global.data.length !== global.size) {
      problems.push({ message: "data is not as long as the size says", function: global.name });
    }
    for (const { symbol, offset } of global.relocations) {
      if (!names.has(symbol)) {
        problems.push({ message: `@${symbol} is not declared`, function: global.name });
      }
      if (offset < 0 || offset + 8 > global.size) {
        problems.push({ message: "a relocation lies outside the data", function: global.name });
      }
    }
  }
  for (const fn of module.functions) appendAll(problems, verifyFunction(fn, names));
  return problems;
}

/** `names`: symbols that the module declares; without it they are not checked. */
export function verifyFunction(fn: IrFunction, names?: ReadonlySet<string>): IrProblem[] {
  const check = new FunctionCheck(fn, names);
  check.run();
  return check.problems;
}

class FunctionCheck {
  readonly problems: IrProblem[] = [];
  readonly #fn: IrFunction;
  readonly #names: ReadonlySet<string> | undefined;
  /** Where each instruction stands in its block. */
  readonly #positions = new Map<IrInstruction, number>();

  constructor(fn: IrFunction, names: ReadonlySet<string> | undefined) {
    this.#fn = fn;
    this.#names = names;
  }

  run(): void {
    const fn = this.#fn;
    const entry = fn.blocks[0];
    if (entry === undefined) {
      this.#report("the function has no blocks");
      return;
    }
    const ids = new Set<number>();
    for (const block of fn.blocks) this.#checkBlock(block, ids);
    if (this.problems.length > 0) return;
    const known = new Set(fn.blocks);
    const stray = fn.blocks.some((block) =>
      successors(block).some((next) => {
        if (known.has(next)) return false;
        this.#report(`jumps to b${next.id}, which is not in the function`, block);
        return true;
      }),
    );
    if (stray) return;
    const preds = predecessors(fn);
    if ((preds.get(entry) ?? []).length > 0) this.#report("the entry has predecessors", entry);
    const reachable = new Set(reversePostOrder(fn));
    for (const block of fn.blocks) {
      if (!reachable.has(block)) this.#report("the block cannot be reached", block);
    }
    if (this.problems.length > 0) return;
    this.#checkUses(preds);
  }

  #report(message: string, block?: Block, instruction?: IrInstruction): void {
    this.problems.push({
      message,
      function: this.#fn.name,
      ...(block && { block: `b${block.id}` }),
      ...(instruction && { instruction: printInstruction(instruction) }),
    });
  }

  #checkBlock(block: Block, ids: Set<number>): void {
    if (block.instructions.length === 0) this.#report("the block is empty", block);
    let phisOver = false;
    block.instructions.forEach((each, at) => {
      this.#positions.set(each, at);
      const report = (message: string): void => this.#report(message, block, each);
      if (each.block !== block) report("the instruction says that it is in another block");
      if (ids.has(each.id)) report(`the number ${each.id} is taken twice`);
      ids.add(each.id);
      if (each.id >= this.#fn.nextInstructionId)
        report("the number is not below the next free one");
      const isLast = at === block.instructions.length - 1;
      if (isTerminator(each.operation) !== isLast) {
        report(isLast ? "the block does not end in a terminator" : "terminator inside a block");
      }
      if (each.operation.op !== "phi") phisOver = true;
      else if (phisOver) report("phi after another instruction");
      const problem = typeProblem(each, this.#fn);
      if (problem !== undefined) report(problem);
    });
  }

  #checkUses(preds: ReadonlyMap<Block, readonly Block[]>): void {
    const tree = dominatorTree(this.#fn);
    for (const block of this.#fn.blocks) {
      for (const user of block.instructions) {
        const operation = user.operation;
        if (operation.op === "phi") this.#checkPhi(user, operation, preds.get(block) ?? []);
        user.operands.forEach((operand, index) => {
          const from = operation.op === "phi" ? operation.incoming[index] : undefined;
          const problem = this.#operandProblem(operand, user, from, tree.dominates);
          if (problem !== undefined) this.#report(problem, block, user);
        });
        this.#checkCallee(user);
      }
    }
  }

  #operandProblem(
    operand: Value,
    user: IrInstruction,
    incoming: Block | undefined,
    dominates: (a: Block, b: Block) => boolean,
  ): string | undefined {
    switch (operand.kind) {
      case "constant": {
        const inRange = operand.value >= 0n && operand.value < 1n << BigInt(bitWidth[operand.type]);
        return inRange ? undefined : `constant ${operand.value} does not fit ${operand.type}`;
      }
      case "undef":
        return undefined;
      case "global":
        if (this.#names === undefined || this.#names.has(operand.symbol)) return undefined;
        return `@${operand.symbol} is not declared`;
      case "parameter":
        if (this.#fn.params[operand.index] === operand) return undefined;
        return `%p${operand.index} is not a parameter of this function`;
      case "instruction": {
        const at = this.#positions.get(operand);
        if (at === undefined) return `%${operand.id} is not in the function`;
        if (operand.type === "void") return "an operand has no value";
        const place = incoming ?? user.block;
        if (operand.block !== place) {
          return dominates(operand.block, place)
            ? undefined
            : `the definition of %${operand.id} does not dominate this use`;
        }
        if (incoming !== undefined || at < (this.#positions.get(user) ?? 0)) return undefined;
        return `%${operand.id} is used before it is defined`;
      }
    }
  }

  /** Lists of the phis that were seen. */
  readonly #incoming = new Set<readonly Block[]>();

  #checkPhi(
    phi: IrInstruction,
    operation: Extract<Operation, { op: "phi" }>,
    preds: readonly Block[],
  ): void {
    const { incoming } = operation;
    const complete = preds.every((pred) => incoming.includes(pred));
    if (!complete || incoming.length !== preds.length || new Set(incoming).size !== preds.length) {
      const wanted = preds.map(({ id }) => `b${id}`).join(", ");
      this.#report(`the phi must have one value from each of ${wanted}`, phi.block, phi);
    }
    // A pass that changes one phi would change the other.
    if (this.#incoming.has(incoming)) this.#report("two phis share a list", phi.block, phi);
    this.#incoming.add(incoming);
  }

  #checkCallee(user: IrInstruction): void {
    const operation = user.operation;
    if (operation.op !== "call" || operation.callee.kind !== "function") return;
    if (this.#names !== undefined && !this.#names.has(operation.callee.symbol)) {
      this.#report(`@${operation.callee.symbol} is not declared`, user.block, user);
    }
  }
}

/** What operands an operation takes: a type, or a class of types. `rest`: any number of `any` more. */
type Slot = ValueType | "any" | "integer" | "same" | "result";

interface Signature {
  readonly operands: readonly Slot[];
  readonly rest?: boolean;
  readonly result: readonly IrType[];
}

const integers: readonly IrType[] = ["i1", "i8", "i16", "i32", "i64"];
const words: readonly IrType[] = ["i32", "i64"];
const values: readonly IrType[] = [...integers, "ptr"];

/** `same`: of the type of the operand before; `result`: of the result's type. */
const signatures: { readonly [op in OperationName]: Signature } = {
  binary: { operands: ["result", "result"], result: integers },
  icmp: { operands: ["any", "same"], result: ["i1"] },
  zext: { operands: ["integer"], result: integers },
  sext: { operands: ["integer"], result: integers },
  trunc: { operands: ["integer"], result: integers },
  ptrtoint: { operands: ["ptr"], result: ["i64"] },
  inttoptr: { operands: ["i64"], result: ["ptr"] },
  bswap: { operands: ["result"], result: ["i16", "i32", "i64"] },
  ptradd: { operands: ["ptr", "i64"], result: ["ptr"] },
  select: { operands: ["i1", "result", "result"], result: values },
  phi: { operands: [], rest: true, result: values },
  alloca: { operands: [], result: ["ptr"] },
  dynamic_alloca: { operands: ["i64"], result: ["ptr"] },
  load: { operands: ["ptr"], result: ["i8", "i16", "i32", "i64", "ptr"] },
  store: { operands: ["any", "ptr"], result: ["void"] },
  atomicrmw: { operands: ["ptr", "integer"], result: ["void", ...words] },
  cmpxchg: { operands: ["ptr", "result", "result"], result: words },
  load_acquire: { operands: ["ptr"], result: ["i8", "i16", "i32", "i64", "ptr"] },
  store_release: { operands: ["any", "ptr"], result: ["void"] },
  memcpy: { operands: ["ptr", "ptr", "i64"], result: ["void"] },
  memmove: { operands: ["ptr", "ptr", "i64"], result: ["void"] },
  memset: { operands: ["ptr", "i8", "i64"], result: ["void"] },
  memcmp: { operands: ["ptr", "ptr", "i64"], result: ["i32"] },
  call: { operands: [], rest: true, result: ["void", ...values] },
  core: { operands: [], result: ["i64"] },
  load_packet: { operands: ["ptr", "i64"], result: ["i64"] },
  addr_space_cast: { operands: ["ptr"], result: ["ptr"] },
  constant_p: { operands: ["any"], result: ["i1"] },
  object_size: { operands: ["ptr"], result: ["i64"] },
  asm: { operands: [], rest: true, result: ["void", "i32", "i64", "ptr"] },
  asm_output: { operands: ["i64"], result: ["i32", "i64", "ptr"] },
  fence: { operands: [], result: ["void"] },
  lifetime_start: { operands: ["ptr"], result: ["void"] },
  lifetime_end: { operands: ["ptr"], result: ["void"] },
  br: { operands: [], result: ["void"] },
  condbr: { operands: ["i1"], result: ["void"] },
  switch: { operands: ["integer"], result: ["void"] },
  ret: { operands: [], rest: true, result: ["void"] },
  unreachable: { operands: [], result: ["void"] },
  asm_goto: { operands: [], rest: true, result: ["void", "i32", "i64", "ptr"] },
};

function typeProblem(instruction: IrInstruction, fn: IrFunction): string | undefined {
  const { operation, operands, type } = instruction;
  const signature = signatures[operation.op];
  if (!signature.result.includes(type)) return `the result cannot be ${type}`;
  if (operands.length !== signature.operands.length && !signature.rest) {
    return `takes ${signature.operands.length} operands, has ${operands.length}`;
  }
  for (const [at, slot] of signature.operands.entries()) {
    const found = operands[at]?.type ?? "void";
    if (!slotFits(slot, found, operands[at - 1]?.type ?? "void", type)) {
      return `operand ${at} is ${found}`;
    }
  }
  return specialProblem(instruction, fn);
}

function slotFits(slot: Slot, found: IrType, before: IrType, result: IrType): boolean {
  switch (slot) {
    case "any":
      return found !== "void";
    case "integer":
      return integers.includes(found);
    case "same":
      return found === before;
    case "result":
      return found === result;
    case "i1":
    case "i8":
    case "i16":
    case "i32":
    case "i64":
    case "ptr":
      return found === slot;
  }
}

/** Rules beyond types of operands. */
function specialProblem(instruction: IrInstruction, fn: IrFunction): string | undefined {
  const { operation, operands, type } = instruction;
  const [first] = operands;
  switch (operation.op) {
    case "zext":
    case "sext":
    case "trunc": {
      if (first === undefined || first.type === "void" || type === "void") return "no type";
      const wider = bitWidth[type] > bitWidth[first.type];
      const narrower = bitWidth[type] < bitWidth[first.type];
      const fits = operation.op === "trunc" ? narrower : wider;
      return fits ? undefined : `${operation.op} from ${first.type} to ${type}`;
    }
    case "phi":
      if (operands.length !== operation.incoming.length) return "as many values as blocks, please";
      return operands.every((each) => each.type === type) ? undefined : "a value has another type";
    case "load":
    case "store":
    case "dynamic_alloca":
      return isPowerOfTwo(operation.align) ? undefined : "the alignment is not a power of two";
    case "alloca":
      if (!isPowerOfTwo(operation.align)) return "the alignment is not a power of two";
      return operation.size >= 0 ? undefined : "the size is negative";
    case "call":
      return callProblem(operands, operation);
    case "ret": {
      const found = first?.type ?? "void";
      if (operands.length > 1) return "ret takes at most one operand";
      return found === fn.returns ? undefined : `returns ${found}, the function ${fn.returns}`;
    }
    case "asm":
    case "asm_goto": {
      if (operation.operandOf.length !== operation.constraints.length) {
        return "operandOf must have one entry per constraint";
      }
      const used = operation.operandOf.filter((at) => at >= 0);
      const inOrder = used.length === operands.length && used.every((at, index) => at === index);
      return inOrder ? undefined : "operands must be numbered in the order of the constraints";
    }
    case "asm_output": {
      if (first?.kind !== "instruction") return "the operand must be inline assembly";
      const { op } = first.operation;
      return op === "asm" || op === "asm_goto" ? undefined : "the operand must be inline assembly";
    }
    case "switch": {
      const seen = new Set(operation.cases.map(({ value }) => value));
      return seen.size === operation.cases.length ? undefined : "a case value occurs twice";
    }
    default:
      return undefined;
  }
}

function callProblem(
  operands: readonly Value[],
  operation: Extract<Operation, { op: "call" }>,
): string | undefined {
  const indirect = operation.callee.kind === "indirect";
  if (indirect && operands[0]?.type !== "ptr") return "the callee is not a pointer";
  const args = operands.slice(indirect ? 1 : 0);
  const bad = args.find((each) => !["i32", "i64", "ptr"].includes(each.type));
  return bad === undefined ? undefined : `an argument is ${bad.type}; it must be i32, i64 or ptr`;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && 2 ** Math.round(Math.log2(value)) === value;
}
