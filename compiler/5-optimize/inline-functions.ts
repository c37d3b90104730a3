/**
 * Inlining, bottom-up: a callee is simplified before it is judged or copied. always_inline is part
 * of the language: it must happen at every level, also through function pointers that turn out to be
 * constant, and a cycle of it is an error. So must functions of more than five parameters.
 * Global functions that return addresses are copied too, as the kernel refuses calls of them.
 * Others are judged by size, as clang's -O2 does: much of what the verifier accepts depends on it.
 * Guarantees: calls of always_inline functions are gone or reported.
 */
import { appendAll, pushTo } from "../../common/append.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import type { OptimizationLevel } from "../options.ts";
import { blockFrequencies } from "./block-frequency.ts";
import { sizeOf } from "./clone-blocks.ts";
import { inlineCall } from "./inline-call.ts";
import { inlineCost, isStraight } from "./inline-cost.ts";
import type { ModulePass, PassContext } from "./pass.ts";
import { reportAt } from "./report.ts";
import { argumentRegisters, instructionsOf } from "./values.ts";

/** Highest cost (inline-cost.ts) of a body that is copied to several places; `hint` is for the inline keyword. */
const thresholds: Readonly<Record<OptimizationLevel, { plain: number; hint: number }>> = {
  "0": { plain: -Infinity, hint: -Infinity },
  "1": { plain: 25, hint: 75 },
  s: { plain: 50, hint: 75 },
  "2": { plain: 225, hint: 325 },
  "3": { plain: 250, hint: 325 },
};
/** What a body of one block may cost, as a multiple of the threshold. */
const straightFactor = 1.5;

/** Where the caller comes in fewer of its runs than `seldom`, a body that costs more than a call's worth is not copied. */
const seldom = 1 / 50;
const seldomLimit = 45;

/** A function that has grown to this size takes no more optional copies. */
const largestCaller = 30000;
const rounds = 64;
/** How many callers up a body is followed that is copied into one place. */
const deepestChain = 64;

type Step = (fn: IrFunction, context: PassContext) => void;

/**
 * `simplify` is run on every function before it is copied, and after something was copied into it; `unroll` on
 * a function with loops before it is judged by size, which is that of its unrolled loops.
 */
export function inlineFunctions(simplify: Step, unroll: Step): ModulePass {
  return {
    kind: "module",
    name: "inline-functions",
    run: (context) => new Inliner(context, simplify, unroll).run(),
  };
}

class Inliner {
  readonly #context: PassContext;
  readonly #simplify: Step;
  readonly #unroll: Step;
  readonly #unrolled = new Set<IrFunction>();
  readonly #state = new Map<IrFunction, "open" | "done">();
  readonly #references = new Map<string, number>();
  readonly #reported = new Set<string>();
  /** Where each function is called: once per call. */
  readonly #callers = new Map<string, IrFunction[]>();
  #changed = false;

  constructor(context: PassContext, simplify: Step, unroll: Step) {
    this.#context = context;
    this.#simplify = simplify;
    this.#unroll = unroll;
  }

  run(): boolean {
    this.#countReferences();
    for (const fn of this.#context.module.functions) this.#process(fn);
    return this.#changed;
  }

  /** How often each function is named, by calls or by address. */
  #countReferences(): void {
    const count = (symbol: string): void => {
      this.#references.set(symbol, (this.#references.get(symbol) ?? 0) + 1);
    };
    const { module } = this.#context;
    for (const global of module.globals) {
      for (const relocation of global.relocations) count(relocation.symbol);
    }
    for (const fn of module.functions) {
      for (const each of instructionsOf(fn)) {
        for (const value of each.operands) if (value.kind === "global") count(value.symbol);
        const callee = each.operation.op === "call" ? each.operation.callee : undefined;
        if (callee?.kind !== "function") continue;
        count(callee.symbol);
        pushTo(this.#callers, callee.symbol, fn);
      }
    }
  }

  /** A body that must be copied to several places: what it calls once is called at all of them. */
  #isCopiedOften(fn: IrFunction, depth = 0): boolean {
    if (!isMandatory(fn) || depth > deepestChain) return false;
    const callers = this.#callers.get(fn.name) ?? [];
    const [only] = callers;
    if (callers.length > 1) return true;
    return only !== undefined && this.#isCopiedOften(only, depth + 1);
  }

  #process(fn: IrFunction): void {
    if (this.#state.has(fn)) return;
    this.#state.set(fn, "open");
    this.#processCallees(fn);
    this.#simplify(fn, this.#context);
    for (let round = 0; round < rounds; round += 1) {
      // Simplifying may have turned pointers into calls of functions not seen before.
      this.#processCallees(fn);
      if (!this.#inlineInto(fn)) break;
      this.#changed = true;
      this.#simplify(fn, this.#context);
    }
    this.#state.set(fn, "done");
  }

  /** Callees first. The depth of calls in C programs is small, so recursion is fine here. */
  #processCallees(fn: IrFunction): void {
    for (const callee of calleesOf(fn)) {
      const target = this.#context.functions.get(callee);
      if (target !== undefined) this.#process(target);
    }
  }

  /** One sweep over the blocks; copied bodies are looked at in the next. */
  #inlineInto(fn: IrFunction): boolean {
    const replaced = new Map<Value, Value>();
    const blocks: IrFunction["blocks"] = [];
    const size = { now: sizeOf(fn.blocks) };
    const seldomRun = this.#seldomRun(fn);
    const allocas: IrInstruction[] = [];
    let changed = false;
    for (const block of fn.blocks) {
      blocks.push(block);
      const pieces: IrFunction["blocks"][] = [];
      // From the end, so that each instruction moves at most once.
      for (let at = block.instructions.length - 1; at >= 0; at -= 1) {
        const call = block.instructions[at] as IrInstruction;
        const callee = this.#chosenCallee(fn, call, size.now, seldomRun);
        if (callee === undefined) continue;
        size.now += sizeOf(callee.blocks);
        const piece: IrFunction["blocks"] = [];
        const result = inlineCall(fn, call, at, callee, { blocks: piece, allocas });
        if (result !== undefined) replaced.set(call, result);
        this.#countCopied(callee);
        pieces.push(piece);
        changed = true;
      }
      for (const piece of pieces.reverse()) appendAll(blocks, piece);
    }
    if (!changed) return false;
    fn.blocks = blocks;
    blocks[0]?.instructions.unshift(...allocas);
    replaceOperands(fn, replaced);
    return true;
  }

  /** The copy refers to what the original refers to; the call itself is gone. */
  #countCopied(callee: IrFunction): void {
    const add = (symbol: string, by: number): void => {
      this.#references.set(symbol, (this.#references.get(symbol) ?? 0) + by);
    };
    add(callee.name, -1);
    for (const symbol of calleesOf(callee, true)) add(symbol, 1);
  }

  #chosenCallee(
    fn: IrFunction,
    call: IrInstruction,
    size: number,
    seldomRun: ReadonlySet<Block>,
  ): IrFunction | undefined {
    const { operation } = call;
    if (operation.op !== "call" || operation.callee.kind !== "function") return undefined;
    const callee = this.#context.functions.get(operation.callee.symbol);
    if (callee === undefined || callee.blocks.length === 0 || callee.naked) return undefined;
    if (callee.inline === "never" || this.#reported.has(callee.name)) return undefined;
    if (this.#state.get(callee) !== "done") {
      if (isMandatory(callee)) this.#reportCycle(call, callee);
      return undefined;
    }
    if (isMandatory(callee)) return callee;
    return this.#isWorthwhile(fn, call, callee, seldomRun.has(call.block)) && size <= largestCaller
      ? callee
      : undefined;
  }

  /** Blocks that hold calls and run in few of the function's runs. */
  #seldomRun(fn: IrFunction): ReadonlySet<Block> {
    const calling = fn.blocks.filter(({ instructions }) =>
      instructions.some(({ operation }) => {
        if (operation.op !== "call" || operation.callee.kind !== "function") return false;
        const callee = this.#context.functions.get(operation.callee.symbol);
        return callee !== undefined && callee.blocks.length > 0 && !isMandatory(callee);
      }),
    );
    if (calling.length === 0) return new Set();
    const frequencies = blockFrequencies(fn);
    return new Set(calling.filter((block) => (frequencies.get(block) ?? 0) < seldom));
  }

  #isWorthwhile(
    fn: IrFunction,
    call: IrInstruction,
    callee: IrFunction,
    isSeldom: boolean,
  ): boolean {
    if (callee.binding === "weak") return false;
    if (isRefusedAlone(callee)) return true;
    const { plain, hint } = thresholds[this.#context.options.level];
    if (plain < 0) return false;
    const isLastUse = callee.binding === "local" && this.#references.get(callee.name) === 1;
    if (isLastUse && fn !== callee && !this.#isCopiedOften(fn)) return true;
    const usual = callee.inline === "hint" ? hint : plain;
    const limit = isSeldom ? Math.min(usual, seldomLimit) : usual;
    const isSmall = (): boolean =>
      inlineCost(callee, call) <= limit * (isStraight(callee) && !isSeldom ? straightFactor : 1);
    if (!isSmall()) return false;
    if (isStraight(callee) || this.#unrolled.has(callee)) return true;
    this.#unrolled.add(callee);
    this.#unroll(callee, this.#context);
    return isSmall();
  }

  #reportCycle(call: IrInstruction, callee: IrFunction): void {
    if (this.#reported.has(callee.name)) return;
    this.#reported.add(callee.name);
    const why =
      callee.inline === "always"
        ? "is always_inline but calls itself"
        : `has ${callee.params.length} parameters and calls itself`;
    const message = `'${callee.name}' ${why}, directly or through others; it cannot be inlined`;
    reportAt(this.#context.diagnostics, "recursive-inline", message, call.location, {
      help: "use a bounded loop, or bpf_loop()",
    });
  }
}

function isMandatory(fn: IrFunction): boolean {
  return fn.inline === "always" || fn.params.length > argumentRegisters;
}

/** Global functions are verified by themselves, and the kernel takes none there that returns an address. */
function isRefusedAlone(fn: IrFunction): boolean {
  return fn.binding === "global" && fn.visibility === "default" && fn.returns === "ptr";
}

/** Names of the functions that are called directly (with addresses: or named), in order. */
function calleesOf(fn: IrFunction, withAddresses = false): string[] {
  const names: string[] = [];
  for (const { operation, operands } of instructionsOf(fn)) {
    if (withAddresses) {
      for (const value of operands) if (value.kind === "global") names.push(value.symbol);
    }
    if (operation.op === "call" && operation.callee.kind === "function") {
      names.push(operation.callee.symbol);
    }
  }
  return names;
}

function replaceOperands(fn: IrFunction, replaced: ReadonlyMap<Value, Value>): void {
  if (replaced.size === 0) return;
  const resolve = (value: Value): Value => {
    let to = value;
    for (let next = replaced.get(to); next !== undefined; next = replaced.get(to)) to = next;
    return to;
  };
  for (const { operands } of instructionsOf(fn)) {
    for (const [at, value] of operands.entries()) operands[at] = resolve(value);
  }
}
