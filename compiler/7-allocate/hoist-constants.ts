/**
 * Wide constants and addresses of objects that a loop makes in each round are made once in front of it: where
 * their register holds nothing else in the loop, or another one holds nothing at all there. Selection makes
 * them where they are used, and only after allocation it is known what is left over.
 * Needs: physical registers, addresses of stack objects not yet resolved. Guarantees: the same function.
 * Loops that are entered elsewhere than at their head stay as they are.
 */
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineRegister,
  machinePredecessors,
  machineSuccessors,
} from "../6-select/machine.ts";
import { replaceRegisters, touchOf, visitRegisters } from "../6-select/operands.ts";
import { type MachineLoop, machineLoops, splitEdge } from "./flow.ts";
import { computeLiveness } from "./intervals.ts";

/** r0–r9, those first that loops with calls have no use for. */
const registers: readonly MachineRegister[] = [5, 4, 3, 2, 1, 0, 9, 8, 7, 6];

type Maker = MachineInstruction & { readonly dst: MachineRegister };

export function hoistConstants(fn: MachineFunction): void {
  if (!fn.blocks.some(({ instructions }) => instructions.some(isWide))) return;
  const live = new LiveIn(fn);
  // A block that is put in front of a loop is new to that loop alone.
  const preds = machinePredecessors(fn);
  for (const loop of machineLoops(fn)) {
    const hasAsm = [...loop.blocks].some(
      ({ instructions, terminator }) =>
        terminator.kind === "asm_goto" || instructions.some(({ kind }) => kind === "asm"),
    );
    const outside = (preds.get(loop.header) ?? []).filter((pred) => !loop.blocks.has(pred));
    const [entry, ...others] = outside;
    if (hasAsm || entry === undefined || others.length > 0) continue;
    if (hasOtherEntry(loop, preds)) continue;
    if (entry.terminator.kind !== "asm_goto") hoistFrom(fn, loop, entry, live);
  }
}

/** Whether a jump leads into the midst of the loop: what is made in front of it is not made there. */
function hasOtherEntry(
  { header, blocks }: MachineLoop,
  preds: ReadonlyMap<MachineBlock, readonly MachineBlock[]>,
): boolean {
  for (const block of blocks) {
    if (block === header) continue;
    if (preds.get(block)?.some((pred) => !blocks.has(pred)) === true) return true;
  }
  return false;
}

/** Which registers' values come into a block: found once, and kept as it is while constants move. */
class LiveIn {
  readonly #fn: MachineFunction;
  #blocks: Map<MachineBlock, readonly MachineRegister[]> | undefined;

  constructor(fn: MachineFunction) {
    this.#fn = fn;
  }

  of(block: MachineBlock): readonly MachineRegister[] {
    return this.#all().get(block) ?? [];
  }

  /** These are made in `front` now, and live throughout the loop. */
  noteHoisted(made: readonly MachineRegister[], front: MachineBlock, loop: MachineLoop): void {
    const all = this.#all();
    if (!all.has(front)) all.set(front, this.of(loop.header));
    for (const block of loop.blocks) all.set(block, [...new Set([...this.of(block), ...made])]);
  }

  #all(): Map<MachineBlock, readonly MachineRegister[]> {
    if (this.#blocks === undefined) {
      const { liveIn } = computeLiveness(this.#fn);
      this.#blocks = new Map(this.#fn.blocks.map((block, at) => [block, liveIn[at] ?? []]));
    }
    return this.#blocks;
  }
}

/** Made by one or two instructions that are longer than a copy. */
function isWide(op: MachineInstruction): boolean {
  return (op.kind === "load_imm64" || op.kind === "frame_address") && op.core === undefined;
}

/** The constant that an instruction makes, as text. */
function madeBy(op: MachineInstruction): string | undefined {
  if (op.core !== undefined) return undefined;
  if (op.kind === "load_imm64") return `wide ${op.symbol ?? ""} ${op.value}`;
  if (op.kind === "frame_address") return `frame ${op.slot} ${op.offset}`;
  if (op.kind !== "alu" || op.op !== "mov" || op.src.kind !== "immediate") return undefined;
  return `immediate ${op.width} ${op.src.value}`;
}

function hoistFrom(
  fn: MachineFunction,
  loop: MachineLoop,
  entry: MachineBlock,
  live: LiveIn,
): void {
  renameInto(loop, live);
  const made = onlyConstants(loop, live.of(loop.header));
  if (made.length === 0) return;
  const keys = new Map(made.map((op) => [op.dst, madeBy(op)]));
  for (const block of loop.blocks) {
    block.instructions = block.instructions.filter(
      (op) => !("dst" in op) || keys.get(op.dst) === undefined || keys.get(op.dst) !== madeBy(op),
    );
  }
  const front = entry.terminator.kind === "jump" ? entry : splitEdge(fn, entry, loop.header);
  if (front !== entry) fn.blocks.splice(fn.blocks.indexOf(loop.header), 0, front);
  front.instructions.push(...made);
  live.noteHoisted(
    made.map(({ dst }) => dst),
    front,
    loop,
  );
}

/** One maker of each constant that is all that its register ever holds in the loop. */
function onlyConstants(loop: MachineLoop, liveIn: readonly MachineRegister[]): Maker[] {
  const found = new Map<MachineRegister, Maker | undefined>();
  for (const { instructions } of loop.blocks) {
    for (const op of instructions) {
      const key = madeBy(op);
      const note = (register: MachineRegister): void => {
        const known = found.get(register);
        const isSame =
          key !== undefined && (!found.has(register) || (known && madeBy(known) === key));
        found.set(register, isSame ? (op as Maker) : undefined);
      };
      visitRegisters(op, { use: () => {}, def: note, clobber: note });
    }
  }
  const made = [...found.values()].filter((op) => op !== undefined);
  return made.filter((op) => isWide(op) && !liveIn.includes(op.dst));
}

/** A constant that is made in one of a block's instructions and only read by others of it. */
interface Web {
  readonly maker: Maker;
  readonly users: readonly (MachineInstruction | MachineBlock["terminator"])[];
}

/** Constants whose register holds other things, too, get one that holds nothing in the loop. */
function renameInto(loop: MachineLoop, live: LiveIn): void {
  const free = freeRegisters(loop, live);
  if (free.length === 0) return;
  const webs = new Map<string, Web[]>();
  for (const block of loop.blocks) {
    const after = new Set(machineSuccessors(block).flatMap((next) => live.of(next)));
    for (const web of websOf(block, after)) {
      const key = madeBy(web.maker) ?? "";
      webs.set(key, [...(webs.get(key) ?? []), web]);
    }
  }
  for (const [, list] of [...webs].sort((a, b) => b[1].length - a[1].length)) {
    const register = free.pop();
    if (register === undefined) return;
    for (const { maker, users } of list) {
      const map = (each: MachineRegister): MachineRegister =>
        each === maker.dst ? register : each;
      for (const user of users) replaceRegisters(user, map);
      replaceRegisters(maker, map);
    }
  }
}

/** Registers that the loop neither writes nor needs, best last. */
function freeRegisters(loop: MachineLoop, live: LiveIn): MachineRegister[] {
  const used = new Set(live.of(loop.header));
  const note = (register: MachineRegister): void => {
    used.add(register);
  };
  for (const { instructions } of loop.blocks) {
    for (const op of instructions) visitRegisters(op, { use: note, def: note, clobber: note });
  }
  return registers.filter((register) => !used.has(register));
}

function websOf(block: MachineBlock, liveOut: ReadonlySet<MachineRegister>): Web[] {
  const webs: Web[] = [];
  block.instructions.forEach((op, at) => {
    if (!isWide(op)) return;
    const maker = op as Maker;
    const users = usersOf(block, at, maker.dst, liveOut);
    if (users !== undefined) webs.push({ maker, users });
  });
  return webs;
}

/** Who reads the register until it is written again; undefined where somebody changes it, or wants it as it is. */
function usersOf(
  block: MachineBlock,
  made: number,
  register: MachineRegister,
  liveOut: ReadonlySet<MachineRegister>,
): Web["users"] | undefined {
  const users: Web["users"][number][] = [];
  for (const op of [...block.instructions.slice(made + 1), block.terminator]) {
    const { reads, writes } = touchOf(op, register);
    if (reads && (writes || !renameable.has(op.kind))) return undefined;
    if (reads) users.push(op);
    if (writes) return users;
  }
  return liveOut.has(register) ? undefined : users;
}

/** Instructions that may read any register. */
const renameable: ReadonlySet<string> = new Set(["alu", "load", "store", "branch"]);
