/**
 * What each instruction does to memory. Unknown things do everything: calls to functions of this
 * program (unless they were summed up), kfuncs, inline assembly with a memory clobber.
 */
import { isFloatRoutine } from "../../common/domain/float-bits.ts";
import type { AccessedType, IrInstruction, Value } from "../4-lower/ir.ts";
import { helperEffectRows } from "./helper-effects.ts";

export interface HelperEffects {
  /** May the memory behind argument `index` be read, written? `context`: it is the context. */
  readonly args: readonly ArgumentEffect[];
  /** Packet pointers and context fields are stale afterwards. */
  readonly changesPacket: boolean;
  /** Any memory that is not provably private may change. */
  readonly clobbersAll: boolean;
  /** Map values and globals stay as they are, but for what arguments point to. */
  readonly isQuiet: boolean;
}

export interface ArgumentEffect {
  readonly reads: boolean;
  readonly writes: boolean;
  readonly isContext: boolean;
}

const letters: Readonly<Record<string, ArgumentEffect>> = {
  "-": { reads: false, writes: false, isContext: false },
  "?": { reads: true, writes: false, isContext: false },
  r: { reads: true, writes: false, isContext: false },
  w: { reads: false, writes: true, isContext: false },
  m: { reads: true, writes: true, isContext: false },
  c: { reads: true, writes: false, isContext: true },
  C: { reads: true, writes: true, isContext: true },
};

const parsed = new Map<number, HelperEffects>();

/** The row of a helper; undefined for one that the table does not know. */
export function helperEffects(id: number): HelperEffects | undefined {
  const known = parsed.get(id);
  if (known !== undefined) return known;
  const row = helperEffectRows[id];
  if (row === undefined) return undefined;
  const [args = "", ...flags] = row.split(" ");
  const effects = {
    args: [...args].map((letter) => letters[letter] as ArgumentEffect),
    changesPacket: flags.includes("packet"),
    clobbersAll: flags.includes("all"),
    isQuiet: flags.includes("quiet"),
  };
  parsed.set(id, effects);
  return effects;
}

/** A load or store of a scalar. */
interface AccessEffect {
  readonly kind: "load" | "store";
  readonly pointer: Value;
  readonly ordered: boolean;
  readonly accessed: AccessedType | undefined;
}

/** How an instruction touches memory, as far as passes distinguish. */
export type MemoryEffect =
  | { readonly kind: "none" }
  | AccessEffect
  /** Block operations: reads behind `source`, writes behind `target`. */
  | { readonly kind: "block"; readonly target?: Value; readonly sources: readonly Value[] }
  | { readonly kind: "helper"; readonly effects: HelperEffects; readonly args: readonly Value[] }
  /** Reads and writes anything that can be reached from outside. */
  | { readonly kind: "unknown" };

const none: MemoryEffect = { kind: "none" };
const unknown: MemoryEffect = { kind: "unknown" };

export function memoryEffect(instruction: IrInstruction): MemoryEffect {
  const { operation, operands } = instruction;
  const [first, second] = operands as [Value, Value];
  switch (operation.op) {
    case "load":
      return accessEffect("load", first, operation);
    case "store":
      return accessEffect("store", second, operation);
    case "memcpy":
    case "memmove":
      return operation.volatile ? unknown : { kind: "block", target: first, sources: [second] };
    case "memset":
      return operation.volatile ? unknown : { kind: "block", target: first, sources: [] };
    case "memcmp":
      return { kind: "block", sources: [first, second] };
    case "call":
      return callEffect(operation.callee, operands);
    case "atomicrmw":
    case "cmpxchg":
    case "load_acquire":
    case "store_release":
    case "fence":
    case "load_packet":
      return unknown;
    case "asm":
    case "asm_goto":
      return asmTouchesMemory(operation) ? unknown : none;
    default:
      return none;
  }
}

function accessEffect(
  kind: "load" | "store",
  pointer: Value,
  { volatile, accessed }: { readonly volatile: boolean; readonly accessed?: AccessedType },
): AccessEffect {
  return { kind, pointer, ordered: volatile, accessed };
}

type CalleeOf = Extract<IrInstruction["operation"], { op: "call" }>["callee"];

function callEffect(callee: CalleeOf, args: readonly Value[]): MemoryEffect {
  if (callee.kind !== "helper") {
    return callee.kind === "function" && isFloatRoutine(callee.symbol) ? none : unknown;
  }
  const effects = helperEffects(callee.id);
  if (effects === undefined || effects.clobbersAll) return unknown;
  return { kind: "helper", effects, args };
}

/** Memory is touched if the assembly says so, or has an operand in memory, or writes something in its text. */
function asmTouchesMemory(operation: {
  readonly template: string;
  readonly clobbers: readonly string[];
  readonly constraints: readonly { readonly text: string }[];
}): boolean {
  if (operation.clobbers.includes("memory")) return true;
  if (operation.constraints.some(({ text }) => text.includes("m"))) return true;
  return /[*(]|call/.test(operation.template);
}

/** Accesses may not be moved across, nor merged: barriers and the like. */
export function isOrdered(effect: MemoryEffect): boolean {
  if (effect.kind === "unknown") return true;
  return (effect.kind === "load" || effect.kind === "store") && effect.ordered;
}
