/**
 * Loads whose value is known on every way to them, from stores or earlier loads, become that value: a phi
 * where the ways differ. A branch on it is then one that the verifier can follow, as it remembers a
 * register but not what lies in a map value or behind a parameter. Where it is known on all ways but one,
 * the load moves to that one (partial redundancy); in a loop also to the one arm that may change it.
 * Needs: number-values before (one way); reachable blocks. Pointers stay in memory: what they point to may differ in
 * kind, and the verifier refuses one access to both.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import {
  type Block,
  bitWidth,
  type IrFunction,
  type IrInstruction,
  type Value,
} from "../4-lower/ir.ts";
import {
  constant,
  sameValue,
  successors,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, lengthOf, sameBase } from "./alias.ts";
import { memoryEffect } from "./effects.ts";
import type { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { constantAddress, instructionsOf, isOp, operand } from "./values.ts";

export const forwardLoads: FunctionPass = {
  kind: "function",
  name: "forward-loads",
  run(fn, { runs, module }) {
    if (fn.blocks.length < 3) return false;
    return new ForwardLoads(fn, runs.factsOf(fn), module.endian === "little").run();
  },
};

/** Instructions that are looked at for one load, and for all loads of a function. */
const longestSearch = 300;
const longestTotal = 200_000;
/** Joins that are looked at for one load. */
const mostJoins = 8;
/** Phis that it may become, and ways that they may join. */
const mostPhis = 3;
const mostLeaves = 6;
/** Values and joins that are looked at for what a loop counts, and what makes known values of known ones. */
const mostParts = 16;
const computed: ReadonlySet<string> = new Set(["binary", "phi", "zext", "sext", "trunc", "bswap"]);

/** What a location holds: a value, or that of several ways. */
type Found =
  | { readonly kind: "value"; readonly value: Value }
  | Join
  | { readonly kind: "unknown" };

interface Join {
  readonly kind: "join";
  readonly block: Block;
  readonly inputs: Map<Block, Found>;
  phi?: Value;
}

const unknown: Found = { kind: "unknown" };

class ForwardLoads {
  readonly #fn: IrFunction;
  readonly #isLittle: boolean;
  readonly #alias: AliasAnalysis;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #uses: Map<Value, Use[]>;
  readonly #rewriter: Rewriter;
  #loops: readonly Loop[] | undefined;
  #total = longestTotal;
  #budget = 0;

  constructor(fn: IrFunction, facts: FunctionFacts, isLittle: boolean) {
    this.#fn = fn;
    this.#isLittle = isLittle;
    this.#alias = facts.alias;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    this.#uses = facts.uses;
    this.#rewriter = new Rewriter(fn);
  }

  run(): boolean {
    for (const each of instructionsOf(this.#fn)) {
      if (this.#total <= 0) break;
      if (!isOp(each, "load") || each.operation.volatile || each.type === "ptr") continue;
      this.#budget = longestSearch;
      this.#visit(each);
      this.#total -= longestSearch - this.#budget;
    }
    return this.#rewriter.apply();
  }

  #visit(load: IrInstruction): void {
    const location = this.#alias.accessOf(load) as Location;
    // The context is cheap to read and its fields mean what the kernel says.
    if (location.region.kind === "context") return;
    const joins = new Map<Block, Join>();
    const at = load.block.instructions.indexOf(load);
    const wanted: Wanted = { load, location, type: load.type as ValueType, joins };
    const found = collapsed(this.#before(load.block, at, wanted));
    if (found.kind === "unknown" || joins.size > mostJoins) return;
    if (found.kind === "join" && !this.#isWorthwhile(load, location, found)) return;
    const wide = found.kind === "join" ? this.#widerInBlock(load, at, wanted) : undefined;
    this.#rewriter.replace(load, wide ?? this.#valueOf(found, load));
  }

  /** The low part of what was loaded last from the same address: no register need hold it around a loop. */
  #widerInBlock(
    { block, type }: IrInstruction,
    end: number,
    { location }: Wanted,
  ): Value | undefined {
    if (!this.#isLittle) return undefined;
    for (let at = end - 1; at >= 0 && this.#budget > 0; at -= 1) {
      this.#budget -= 1;
      const each = block.instructions[at] as IrInstruction;
      if (memoryEffect(each).kind === "none") continue;
      if (isOp(each, "load") && !each.operation.volatile && each.type !== "ptr") {
        const isWider = bitWidth[each.type as ValueType] > bitWidth[type as ValueType];
        if (isWider && this.#isAt(operand(each, 0), location))
          return this.#rewriter.insertAfter(each, type, { op: "trunc" }, [each]);
      }
      if (this.#alias.mayWrite(each, location)) return undefined;
    }
    return undefined;
  }

  /** The contents in front of instruction `end` of the block. */
  #before(block: Block, end: number, wanted: Wanted): Found {
    const { location } = wanted;
    for (let at = end - 1; at >= 0; at -= 1) {
      this.#budget -= 1;
      if (this.#budget < 0) return unknown;
      const each = block.instructions[at] as IrInstruction;
      if (memoryEffect(each).kind === "none") continue;
      const value = this.#valueAfter(each, wanted);
      if (value !== undefined) return { kind: "value", value: this.#rewriter.resolve(value) };
      if (this.#alias.mayWrite(each, location)) return unknown;
    }
    return this.#atStart(block, wanted);
  }

  #atStart(block: Block, wanted: Wanted): Found {
    const { location, joins } = wanted;
    const known = joins.get(block);
    if (known !== undefined) return known;
    const { base } = location;
    // Above its own block the address does not exist, or was another one.
    if (base.kind === "instruction" && !isAbove(base, block, this.#tree)) return unknown;
    const preds = this.#preds.get(block) ?? [];
    const [only] = preds;
    if (only === undefined || joins.size > mostJoins) return unknown;
    if (preds.length === 1) return this.#before(only, only.instructions.length, wanted);
    const join: Join = { kind: "join", block, inputs: new Map() };
    joins.set(block, join);
    let missing: Block | undefined;
    for (const pred of preds) {
      const input = this.#before(pred, pred.instructions.length, wanted);
      if (input.kind === "unknown") {
        // One way may load for itself, if it leads nowhere else.
        if (missing !== undefined || !this.#mayLoadIn(pred, block, wanted)) return unknown;
        missing = pred;
      }
      join.inputs.set(pred, input);
    }
    return join;
  }

  /** For the block of the load itself (above a branch it might not be reached), and for one arm of its loop. */
  #mayLoadIn(pred: Block, join: Block, wanted: Wanted): boolean {
    const { location, joins, load } = wanted;
    if (successors(pred).length !== 1 || this.#budget < 0) return false;
    if (location.region.kind === "packet" || location.region.kind === "unknown") return false;
    if (joins.size === 1) return true;
    if (join === load.block) return wanted.arm !== undefined;
    if (wanted.arm !== undefined || !this.#isArm(pred, load.block)) return false;
    wanted.arm = pred;
    return true;
  }

  /** Whether only some rounds of the loop that `from` is in come there, behind `from`. */
  #isArm(block: Block, from: Block): boolean {
    if (block === from || !this.#tree.dominates(from, block)) return false;
    this.#loops ??= findLoops(this.#fn);
    const innermost = this.#loops.findLast(({ blocks }) => blocks.has(block));
    if (innermost === undefined || !innermost.blocks.has(from)) return false;
    return !innermost.latches.every((latch) => this.#tree.dominates(block, latch));
  }

  /** What an instruction leaves in the location, or finds there, if that is all of it. */
  #valueAfter(each: IrInstruction, { location, type }: Wanted): Value | undefined {
    const { operation } = each;
    if (operation.op === "store" && !operation.volatile) {
      const value = operand(each, 0);
      return value.type === type && this.#isAt(operand(each, 1), location) ? value : undefined;
    }
    if (operation.op === "load" && !operation.volatile) {
      return each.type === type && this.#isAt(operand(each, 0), location) ? each : undefined;
    }
    if (operation.op !== "memset" || operation.volatile) return undefined;
    const [byte, length] = [operand(each, 1), lengthOf(each)];
    const target = constantAddress(operand(each, 0));
    const start = location.offset - target.offset;
    const covers = length !== undefined && start >= 0 && start + (location.size ?? 0) <= length;
    if (!covers || byte.kind !== "constant" || !sameBase(target.base, location.base))
      return undefined;
    return constant(type, byte.value * 0x0101010101010101n);
  }

  #isAt(pointer: Value, location: Location): boolean {
    const resolved = this.#rewriter.resolve(pointer);
    const direct = constantAddress(resolved);
    if (!isOp(direct.base, "addr_space_cast")) {
      const { base, offset, isCast } = location;
      return isCast !== true && direct.offset === offset && sameBase(direct.base, base);
    }
    const { base, offset, isCast } = this.#alias.location(resolved, undefined);
    return (
      offset === location.offset && isCast === location.isCast && sameBase(base, location.base)
    );
  }

  /**
   * A phi costs moves where its inputs are constants. What the verifier does not remember is worth them;
   * the stack it does remember, so that there they must decide a branch.
   */
  #isWorthwhile(load: IrInstruction, location: Location, found: Join): boolean {
    const joins = joinsOf(found);
    const leaves = [...joins].flatMap(({ inputs }) => [...inputs.values()]);
    if (joins.size > mostPhis || leaves.length > mostLeaves) return false;
    if (location.region.kind !== "stack" && this.#countsSometimes(found, location)) return false;
    const constants = leaves.filter(
      (each) => each.kind === "value" && each.value.kind === "constant",
    ).length;
    // Nothing is saved by a load in one place for a load in another, outside of loops.
    const isMoved = leaves.some((each) => each.kind === "unknown");
    const users = (this.#uses.get(load) ?? []).map(({ user }) => user);
    if (isMoved && !leaves.includes(found) && !this.#isLoop(found.block)) {
      // But where a constant comes in, what is decided by it need not be asked there.
      if (constants === 0 || !users.some((user) => leadsToBranch(user, this.#uses))) return false;
    }
    if (constants <= 1) return true;
    const decides = users.length > 0 && users.every((user) => decidesBranch(user, this.#uses));
    return decides || location.region.kind !== "stack";
  }

  /**
   * Whether some rounds of a loop put into the location what comes of constants and counters alone: a sum of the rounds
   * that fulfilled a condition, the last such round. The verifier would know each such value, and follow every
   * one on; of what it loads it knows nothing.
   */
  #countsSometimes(found: Join, location: Location): boolean {
    let [isCarried, isConditional, isComputed] = [false, false, false];
    const seen = new Set<Join | Value>([found]);
    for (const each of seen) {
      if (seen.size > mostParts) return false;
      if (each.kind === "join") {
        const isLoop = this.#isLoop(each.block);
        isCarried ||= isLoop;
        isConditional ||= !isLoop || each.inputs.size > 2;
        for (const input of each.inputs.values()) {
          if (input.kind === "unknown") return false;
          seen.add(input.kind === "value" ? input.value : input);
        }
      } else if (each.kind !== "constant" && !this.#isLoadAt(each, location)) {
        if (each.kind !== "instruction" || !computed.has(each.operation.op)) return false;
        isComputed ||= each.operation.op === "binary";
        isConditional ||= isOp(each, "phi") && !this.#isLoop(each.block);
        for (const part of each.operands) seen.add(part);
      }
    }
    return isCarried && isConditional && isComputed;
  }

  #isLoadAt(value: Value, location: Location): boolean {
    return isOp(value, "load") && this.#isAt(operand(value, 0), location);
  }

  #isLoop(header: Block): boolean {
    return (this.#preds.get(header) ?? []).some((pred) => this.#tree.dominates(header, pred));
  }

  #valueOf(found: Found, load: IrInstruction): Value {
    if (found.kind === "value") return found.value;
    if (found.kind === "unknown") throw new Error("an unknown input has no value");
    if (found.phi !== undefined) return found.phi;
    const incoming = [...found.inputs.keys()];
    const type = load.type as ValueType;
    const phi = this.#rewriter.insertPhi(found.block, type, incoming, [], load.location);
    found.phi = phi;
    phi.operands = incoming.map((pred) => {
      const input = found.inputs.get(pred) as Found;
      return input.kind === "unknown" ? this.#loadIn(pred, load) : this.#valueOf(input, load);
    });
    const [first] = phi.operands;
    const isOne = phi.operands.every((each) => first !== undefined && sameValue(each, first));
    return isOne && first !== undefined && first !== phi ? first : phi;
  }

  #loadIn(pred: Block, load: IrInstruction): Value {
    const pointer = this.#rewriter.resolve(operand(load, 0));
    const { base, offset, isCast } = this.#alias.location(pointer, undefined);
    const held =
      offset === 0
        ? base
        : this.#rewriter.insertAtEnd(pred, "ptr", { op: "ptradd" }, [
            base,
            constant("i64", offset),
          ]);
    const cast = { op: "addr_space_cast", from: 1, to: 0 } as const;
    const address = isCast ? this.#rewriter.insertAtEnd(pred, "ptr", cast, [held]) : held;
    return this.#rewriter.insertAtEnd(pred, load.type, { ...load.operation }, [address]);
  }
}

/** A join and those that lead into it. */
function joinsOf(join: Join): Set<Join> {
  const seen = new Set<Join>();
  const work: Found[] = [join];
  for (let each = work.pop(); each !== undefined; each = work.pop()) {
    if (each.kind !== "join" || seen.has(each)) continue;
    seen.add(each);
    work.push(...each.inputs.values());
  }
  return seen;
}

/** Joins into which one value leads, around whatever loops, are that value. */
function collapsed(found: Found): Found {
  if (found.kind !== "join") return found;
  for (const join of joinsOf(found)) {
    for (const [pred, input] of join.inputs) {
      const value = input.kind === "join" ? soleValue(input) : undefined;
      if (value !== undefined) join.inputs.set(pred, { kind: "value", value });
    }
  }
  const value = soleValue(found);
  return value === undefined ? found : { kind: "value", value };
}

function soleValue(join: Join): Value | undefined {
  let sole: Value | undefined;
  for (const { inputs } of joinsOf(join)) {
    for (const input of inputs.values()) {
      if (input.kind === "join") continue;
      if (input.kind === "unknown" || (sole !== undefined && !sameValue(sole, input.value)))
        return undefined;
      sole = input.value;
    }
  }
  return sole;
}

interface Wanted {
  readonly load: IrInstruction;
  /** Where the load moves to within its loop. */
  arm?: Block;
  readonly location: Location;
  readonly type: ValueType;
  /** By block, so that a loop's join finds itself. */
  readonly joins: Map<Block, Join>;
}

function isAbove(value: IrInstruction, block: Block, tree: DominatorTree): boolean {
  return value.block !== block && tree.dominates(value.block, block);
}

/** A comparison with a constant, of the value or of what is computed from it and constants. */
function leadsToBranch(user: IrInstruction, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  if (!isOp(user, "binary")) return decidesBranch(user, uses);
  if (!user.operands.some((each) => each.kind === "constant")) return false;
  return (uses.get(user) ?? []).some((use) => decidesBranch(use.user, uses));
}

/** A comparison with a constant, or what widens the value for one. */
function decidesBranch(user: IrInstruction, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  if (isOp(user, "icmp")) return operand(user, 1).kind === "constant";
  if (isOp(user, "switch")) return true;
  if (!isOp(user, "zext") && !isOp(user, "sext")) return false;
  const users = uses.get(user) ?? [];
  return users.length > 0 && users.every((use) => decidesBranch(use.user, uses));
}
