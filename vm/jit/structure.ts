/**
 * Blocks → nested WebAssembly control flow, after Ramsey, "Beyond Relooper" (ICFP 2022): a block
 * that several edges reach follows the code of its dominator, wrapped in a `block` to jump out of;
 * a loop header becomes a `loop`. Irreducible code runs in a loop around a jump table instead.
 */
import type { Block, FlowGraph } from "./blocks.ts";
import { emptyBlockType, op, type WasmBytes } from "./wasm-writer.ts";

export interface BlockEmitter {
  /** The block's instructions without its jump. */
  readonly body: (block: Block) => void;
  /** Pushes an i32: whether the block's branch is taken. */
  readonly condition: (block: Block) => void;
  /** What is done on the way from one block to the next. */
  readonly edge: (from: Block, to: Block) => void;
}

type Label = { readonly kind: "block" | "loop"; readonly block: number } | { readonly kind: "if" };

class Structurer {
  readonly #graph: FlowGraph;
  readonly #code: WasmBytes;
  readonly #emit: BlockEmitter;
  readonly #labels: Label[] = [];
  readonly #pending: (() => void)[] = [];

  constructor(graph: FlowGraph, code: WasmBytes, emit: BlockEmitter) {
    this.#graph = graph;
    this.#code = code;
    this.#emit = emit;
  }

  #open(opcode: number, label: Label): void {
    this.#code.byte(opcode);
    this.#code.byte(emptyBlockType);
    this.#labels.push(label);
  }

  #close(): void {
    this.#code.byte(op.end);
    this.#labels.pop();
  }

  /** The code of the whole function. */
  run(): void {
    this.#tree(0);
    for (let task = this.#pending.pop(); task !== undefined; task = this.#pending.pop()) task();
  }

  /** To be done next, in this order: functions may have blocks deeper than JavaScript may call. */
  #next(...tasks: readonly (() => void)[]): void {
    for (let i = tasks.length - 1; i >= 0; i -= 1) this.#pending.push(tasks[i] as () => void);
  }

  /** The code of a block and of all that it dominates. */
  #tree(order: number): void {
    const block = this.#graph.blocks[order] as Block;
    const merges = block.children
      .filter((child) => (this.#graph.blocks[child] as Block).isMerge)
      .sort((a, b) => b - a);
    if (block.isLoop) this.#open(op.loop, { kind: "loop", block: order });
    for (const merge of merges) this.#open(op.block, { kind: "block", block: merge });
    this.#emit.body(block);
    const close = (): void => this.#close();
    this.#next(
      () => this.#leave(block),
      ...merges.reverse().flatMap((merge) => [close, () => this.#tree(merge)]),
      ...(block.isLoop ? [close] : []),
    );
  }

  #leave(block: Block): void {
    const [first, second] = block.successors;
    if (first === undefined) return;
    if (second === undefined) {
      this.#branch(block.order, first);
      return;
    }
    this.#emit.condition(block);
    this.#open(op.if, { kind: "if" });
    this.#next(
      () => this.#branch(block.order, first),
      () => this.#close(),
      () => this.#branch(block.order, second),
    );
  }

  #branch(from: number, to: number): void {
    const target = this.#graph.blocks[to] as Block;
    this.#emit.edge(this.#graph.blocks[from] as Block, target);
    const isBack = to <= from;
    if (!isBack && !target.isMerge) {
      this.#tree(to);
      return;
    }
    const kind = isBack ? "loop" : "block";
    const at = this.#labels.findLastIndex((l) => l.kind === kind && l.block === to);
    this.#code.byte(op.br);
    this.#code.unsigned(this.#labels.length - 1 - at);
  }
}

/** `local` is an i32 local for the number of the next block. */
function dispatch(graph: FlowGraph, code: WasmBytes, emit: BlockEmitter, local: number): void {
  const count = graph.blocks.length;
  const go = (from: Block, to: number, depth: number): void => {
    emit.edge(from, graph.blocks[to] as Block);
    code.byte(op.i32Const);
    code.signed(to);
    code.byte(op.localSet);
    code.unsigned(local);
    code.byte(op.br);
    code.unsigned(depth);
  };
  code.byte(op.loop);
  code.byte(emptyBlockType);
  for (let i = 0; i < count; i += 1) {
    code.byte(op.block);
    code.byte(emptyBlockType);
  }
  code.byte(op.localGet);
  code.unsigned(local);
  code.byte(op.brTable);
  code.unsigned(count - 1);
  for (let i = 0; i < count; i += 1) code.unsigned(i);
  for (const block of graph.blocks) {
    code.byte(op.end);
    const toLoop = count - 1 - block.order;
    emit.body(block);
    const [first, second] = block.successors;
    if (first === undefined) continue;
    if (second !== undefined) {
      emit.condition(block);
      code.byte(op.if);
      code.byte(emptyBlockType);
      go(block, first, toLoop + 1);
      code.byte(op.end);
      go(block, second, toLoop);
    } else go(block, first, toLoop);
  }
  code.byte(op.end);
}

export function emitControlFlow(
  graph: FlowGraph,
  code: WasmBytes,
  emit: BlockEmitter,
  dispatchLocal: number,
): void {
  if (graph.isReducible) new Structurer(graph, code, emit).run();
  else dispatch(graph, code, emit, dispatchLocal);
}
