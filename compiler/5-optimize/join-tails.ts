/**
 * Ways into a block that end alike but for a few operands end there once, in code that takes what differs from
 * phis: `if (c) f(&a, x, 0); else f(&b, x, 0);` calls once. What is alike to the last operand is left to the machine
 * code (merge-tails.ts), which pays nothing for it; this pass counts only what that cannot join, less what
 * carrying the operands costs.
 *
 * Each way is looked at by the verifier by itself, so that what it knows of an operand stays known. Only
 * scalars and addresses of variables and maps are carried: pointers of other kinds must not meet. Some helpers
 * are better off with operands that are the same each time: the kernel then puts their code in place.
 * Needs: reachable blocks. Late, as what is known of one way alone is of no use to the joint code.
 */
import { findLoops, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  computeUses,
  firstNonPhi,
  sameValue,
  terminatorOf,
  type Use,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import {
  constantAddress,
  isConstantOffset,
  isOp,
  isPlainAccess,
  isPure,
  operand,
} from "./values.ts";

/** Ways that are joined at once, and memory accesses and calls of each that are looked at. */
const mostArms = 8;
const longestTail = 8;
/** How deep expressions are followed that feed a joint instruction. */
const deepestTree = 3;
/** Instructions that must go. */
const leastGain = 2;

export const joinTails: FunctionPass = {
  kind: "function",
  name: "join-tails",
  run(fn, context) {
    const preds = predecessors(fn);
    const rewriter = new Rewriter(fn);
    let uses: Uses | undefined;
    let headers: ReadonlySet<Block> | undefined;
    for (const block of fn.blocks) {
      const arms = preds.get(block) ?? [];
      if (arms.length < 2 || arms.length > mostArms) continue;
      if (!arms.every((arm) => arm !== block && isOp(terminatorOf(arm), "br"))) continue;
      const tail = commonTail(arms);
      if (tail.length === 0) continue;
      headers ??= new Set(findLoops(fn).map(({ header }) => header));
      if (headers.has(block)) continue;
      uses ??= computeUses(fn);
      let best: Plan | undefined;
      let longest: Plan | undefined;
      for (let length = 1; length <= tail.length; length += 1) {
        const plan = new Plan(block, arms, tail.slice(0, length), uses, context);
        if (!plan.isPossible) continue;
        longest = plan;
        if (plan.gain >= leastGain && plan.gain > (best?.gain ?? 0)) best = plan;
      }
      if (longest?.hasDifferences === true) best?.carryOut(rewriter);
    }
    return rewriter.apply();
  },
};

type Uses = ReadonlyMap<Value, readonly Use[]>;
/** One instruction of each arm, all of one shape. */
type Tuple = readonly IrInstruction[];

/** Accesses and calls that end all arms alike, last first. */
function commonTail(arms: readonly Block[]): Tuple[] {
  const lists = arms.map(lastEffects);
  const tail: Tuple[] = [];
  const shortest = Math.min(...lists.map(({ length }) => length));
  for (let at = 0; at < shortest; at += 1) {
    const tuple = lists.map((list) => list[at] as IrInstruction);
    if (!areAlike(tuple)) break;
    tail.push(tuple);
  }
  return tail;
}

function lastEffects(arm: Block): IrInstruction[] {
  const found: IrInstruction[] = [];
  for (let at = arm.instructions.length - 2; at >= 0 && found.length < longestTail; at -= 1) {
    const each = arm.instructions[at] as IrInstruction;
    if (isPure(each)) continue;
    if (!isJoinable(each)) break;
    found.push(each);
  }
  return found;
}

function isJoinable(each: IrInstruction): boolean {
  if (isPlainAccess(each)) return true;
  const { operation } = each;
  return operation.op === "call" && !operation.noreturn && operation.callee.kind !== "indirect";
}

/** Pure operations that move along with what they are computed for. */
const movable: ReadonlySet<string> = new Set("binary zext sext trunc bswap ptradd".split(" "));

function areAlike([first, ...others]: Tuple): boolean {
  return first !== undefined && others.every((each) => isAlike(first, each));
}

function isAlike(a: IrInstruction, b: IrInstruction): boolean {
  const [x, y] = [a.operation, b.operation];
  if (a.type !== b.type || a.operands.length !== b.operands.length) return false;
  if (!a.operands.every(({ type }, at) => type === operand(b, at).type)) return false;
  if (x.op === "binary" && y.op === "binary") return x.binary === y.binary;
  if (x.op !== "call" || y.op !== "call") return x.op === y.op;
  const [f, g] = [x.callee, y.callee];
  if (f.kind === "helper" && g.kind === "helper") return f.id === g.id;
  return f.kind === "function" && g.kind === "function" && f.symbol === g.symbol;
}

/** Helpers whose operands the kernel wants to be the same each time: lookups are put in place, tail calls are jumps. */
const fixedOperands: ReadonlySet<number> = new Set([1, 12]);

/** What joining the last of the common instructions would give. */
class Plan {
  readonly #block: Block;
  readonly #arms: readonly Block[];
  readonly #tail: readonly Tuple[];
  readonly #uses: Uses;
  readonly #context: PassContext;
  /** By instruction of an arm: with which others it becomes one. */
  readonly #joint = new Map<Value, Tuple>();
  /** Values that differ, by those of the first arm: each gets one phi. */
  readonly #carried: (readonly Value[])[] = [];
  readonly isPossible: boolean;
  /** Weight of what goes along with the tuple that is looked at. */
  #pending = 0;
  gain = 0;

  constructor(
    block: Block,
    arms: readonly Block[],
    tail: readonly Tuple[],
    uses: Uses,
    context: PassContext,
  ) {
    this.#block = block;
    this.#arms = arms;
    this.#tail = tail;
    this.#uses = uses;
    this.#context = context;
    for (const tuple of tail) for (const each of tuple) this.#joint.set(each, tuple);
    this.isPossible = tail.every((tuple) => this.#take(tuple));
  }

  /** Counts what the tuple saves and costs; false if it cannot become one. */
  #take(tuple: Tuple): boolean {
    if (!this.#areUsesJoint(tuple)) return false;
    const [first] = tuple as readonly [IrInstruction];
    for (const at of first.operands.keys()) if (!this.#takeOperand(tuple, at, 0)) return false;
    this.#pending += weightOf(tuple);
    // What stands behind all that differs is joined without this pass.
    if (this.hasDifferences) this.gain += this.#pending * (this.#arms.length - 1);
    this.#pending = 0;
    return true;
  }

  #takeOperand(tuple: Tuple, at: number, depth: number): boolean {
    const values = tuple.map((each) => operand(each, at));
    if (this.#isSettled(values)) return true;
    if (this.#takeTree(values, depth)) return true;
    if (!this.#canCarry(tuple, at, values)) return false;
    if (
      this.#carried.some((known) =>
        known.every((each, arm) => sameValue(each, values[arm] as Value)),
      )
    )
      return true;
    this.#carried.push(values);
    this.gain -= carryingCost(tuple, at, values);
    // An address that stays in use on its way must be in a register for this alone.
    if (tuple[0]?.operation.op !== "call")
      this.gain -= 2 * values.filter((each) => each.type === "ptr" && this.#staysUsed(each)).length;
    return true;
  }

  get hasDifferences(): boolean {
    return this.#carried.length > 0;
  }

  #isSettled(values: readonly Value[]): boolean {
    return areSame(values) || this.#isJoint(values);
  }

  #isJoint(values: readonly Value[]): boolean {
    const tuple = this.#joint.get(values[0] as Value);
    return tuple?.every((each, arm) => each === values[arm]) === true;
  }

  #staysUsed(value: Value): boolean {
    return (this.#uses.get(value) ?? []).some(({ user }) => !this.#joint.has(user));
  }

  /** The values are computed alike, for this alone, from no more than one thing that differs. */
  #takeTree(values: readonly Value[], depth: number): boolean {
    if (depth >= deepestTree) return false;
    const tuple: IrInstruction[] = [];
    for (const [arm, value] of values.entries()) {
      if (value.kind !== "instruction" || !movable.has(value.operation.op)) return false;
      if (value.block !== this.#arms[arm] || this.#uses.get(value)?.length !== 1) return false;
      tuple.push(value);
    }
    const [first] = tuple;
    if (first === undefined || !areAlike(tuple)) return false;
    const differing = [...first.operands.keys()].filter(
      (at) => !this.#isSettled(tuple.map((each) => operand(each, at))),
    );
    const [at, ...more] = differing;
    if (more.length > 0) return false;
    for (const each of tuple) this.#joint.set(each, tuple);
    if (at !== undefined && !this.#takeOperand(tuple, at, depth + 1)) {
      for (const each of tuple) this.#joint.delete(each);
      return false;
    }
    this.#pending += weightOf(tuple);
    return true;
  }

  /** Nothing but joint instructions, and phis where the ways meet, reads what the instructions give. */
  #areUsesJoint(tuple: Tuple): boolean {
    return tuple.every((each) =>
      (this.#uses.get(each) ?? []).every(({ user }) => {
        if (this.#joint.has(user)) return true;
        return isOp(user, "phi") && user.block === this.#block && this.#takes(user, tuple);
      }),
    );
  }

  #takes(phi: IrInstruction, tuple: Tuple): boolean {
    const { operation } = phi;
    if (operation.op !== "phi") return false;
    return this.#arms.every(
      (arm, at) => operand(phi, operation.incoming.indexOf(arm)) === tuple[at],
    );
  }

  #canCarry(tuple: Tuple, at: number, values: readonly Value[]): boolean {
    const [first] = tuple as readonly [IrInstruction];
    const { operation } = first;
    const type = values[0]?.type;
    if (type === "i1" || type === "void" || values.some(({ kind }) => kind === "undef"))
      return false;
    if (operation.op === "call") {
      const { callee } = operation;
      if (callee.kind === "helper" ? fixedOperands.has(callee.id) : type === "ptr") return false;
      if (callee.kind === "function" && !this.#context.functions.has(callee.symbol)) return false;
    }
    if (operation.op === "ptradd" && (at === 0 || values.some(({ kind }) => kind === "constant")))
      return false;
    return type !== "ptr" || values.every((each) => this.#isVariable(each));
  }

  /** The address of a variable or a map. */
  #isVariable(value: Value): boolean {
    const { base } = constantAddress(value);
    return base.kind === "global" && this.#context.globals.has(base.symbol);
  }

  carryOut(rewriter: Rewriter): void {
    const before = this.#block.instructions[firstNonPhi(this.#block)] as IrInstruction;
    const made = new Map<Tuple, IrInstruction>();
    const phis: (readonly [readonly Value[], IrInstruction])[] = [];
    const join = (values: readonly Value[]): Value => {
      const [first] = values as readonly [Value];
      if (areSame(values)) return first;
      const tuple = this.#joint.get(first);
      if (tuple !== undefined && this.#isJoint(values)) return made.get(tuple) ?? build(tuple);
      const known = phis.find(([of]) =>
        of.every((each, arm) => sameValue(each, values[arm] as Value)),
      );
      if (known !== undefined) return known[1];
      const phi = rewriter.insertPhi(this.#block, first.type, this.#arms, values, before.location);
      phis.push([values, phi]);
      return phi;
    };
    const build = (tuple: Tuple): IrInstruction => {
      const [first] = tuple as readonly [IrInstruction];
      const operands = first.operands.map((_, at) => join(tuple.map((each) => operand(each, at))));
      const operation = jointOperation(tuple);
      const joint = rewriter.insertBefore(before, first.type, operation, operands, first.location);
      made.set(tuple, joint);
      return joint;
    };
    for (const tuple of this.#tail.toReversed()) build(tuple);
    for (const [tuple, joint] of made) {
      for (const { user } of this.#uses.get(tuple[0] as IrInstruction) ?? []) {
        if (isOp(user, "phi")) rewriter.replace(user, joint);
      }
      for (const each of tuple) rewriter.erase(each);
    }
  }
}

function areSame(values: readonly Value[]): boolean {
  return values.every((each) => sameValue(each, values[0] as Value));
}

/** One operation for all: of accesses, what is true of each. */
function jointOperation(tuple: Tuple): IrInstruction["operation"] {
  const operation = { ...(tuple[0] as IrInstruction).operation };
  for (const { operation: other } of tuple) {
    if (operation.op !== "load" && operation.op !== "store") break;
    if (other.op !== "load" && other.op !== "store") break;
    operation.align = Math.min(operation.align, other.align);
    if (operation.accessed !== other.accessed) delete operation.accessed;
  }
  return operation;
}

/** Machine instructions of one of them: a call moves its arguments. */
function weightOf(tuple: Tuple): number {
  const [first] = tuple as readonly [IrInstruction];
  const { operation } = first;
  if (isConstantOffset(first) || operation.op === "zext" || operation.op === "trunc") return 0;
  if (operation.op !== "call") return 1;
  let weight = 1;
  for (const at of first.operands.keys()) {
    const values = tuple.map((each) => operand(each, at));
    if (!areSame(values)) continue;
    const { base } = constantAddress(values[0] as Value);
    weight += base.kind === "global" || isOp(base, "alloca") ? 2 : 1;
  }
  return weight;
}

/** Machine instructions that bring constants to where the ways meet; a call wants them in registers anyway. */
function carryingCost([first]: Tuple, at: number, values: readonly Value[]): number {
  if (first === undefined || first.operation.op === "call") return 0;
  const constants = values.filter(({ kind }) => kind === "constant").length;
  return first.operation.op === "ptradd" && at === 1 ? constants + 1 : constants;
}
