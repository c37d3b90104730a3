/**
 * The control flow of a checked function body, as clang's analyses see it: blocks of what happens to
 * local variables, and branches that know which statement they belong to. Branches on constants have
 * no edge on the side that is never taken.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  CheckedExpression,
  CheckedFunctionBody,
  CheckedInitializer,
  CheckedStatement,
  LabelSymbol,
  VariableSymbol,
} from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { neverReturns } from "./control-flow.ts";
import { childrenOf, initializerParts } from "./expression-children.ts";
import { isInteger, isPointer } from "./type-tools.ts";

/** `set` also stands for an address that is taken: what happens behind it is not followed. */
export interface FlowEvent {
  readonly kind: "declare" | "use" | "set";
  readonly symbol: VariableSymbol;
  readonly span: Span;
}

export type BranchWord = "if" | "while" | "for" | "do" | "?:" | "&&" | "||" | "switch";

export interface FlowBlock {
  readonly id: number;
  readonly events: FlowEvent[];
  /** Of a two-way branch the taken one first; undefined where the side is never taken. */
  successors: (FlowBlock | undefined)[];
  readonly predecessors: FlowBlock[];
  /** The condition, for messages. */
  branch?: { readonly word: BranchWord; readonly span: Span };
  /** The block starts at a case label. */
  caseLabel?: { readonly span: Span; readonly isDefault: boolean; readonly isChained: boolean };
  /** A statement stands in it; and its last is `__attribute__((fallthrough));`. */
  hasContent: boolean;
  endsAnnotated: boolean;
}

/** A local variable whose events the graph has. */
export interface FlowVariable {
  readonly symbol: VariableSymbol;
  readonly initializer: CheckedInitializer | undefined;
  /** Its initialiser speaks of itself. */
  readonly isOwnSource: boolean;
}

export interface FlowGraph {
  readonly entry: FlowBlock;
  readonly blocks: readonly FlowBlock[];
  readonly variables: readonly FlowVariable[];
}

/** A condition on a constant: which side is taken. */
export function constantTruth(condition: CheckedExpression): boolean | undefined {
  const value = evaluateInteger(condition);
  return value === undefined ? undefined : value.value !== 0n;
}

type LogicalExpression = Extract<CheckedExpression, { kind: "logical" }>;

/** `a && b` behind conversions to a truth value. */
function asLogical(e: CheckedExpression): LogicalExpression | undefined {
  if (e.kind === "logical") return e;
  return e.kind === "cast" && e.cast === "to_bool" ? asLogical(e.operand) : undefined;
}

/** Makes the graph, with the events of local integers and pointers. */
class FlowBuilder {
  readonly blocks: FlowBlock[] = [];
  readonly variables: FlowVariable[] = [];
  readonly #mentions = new Map<VariableSymbol, number>();
  readonly #labels = new Map<LabelSymbol, FlowBlock>();
  readonly #cases = new Map<string, FlowBlock>();
  readonly #breaks: FlowBlock[] = [];
  readonly #continues: FlowBlock[] = [];
  #at: FlowBlock;

  constructor() {
    this.#at = this.#block();
  }

  #block(): FlowBlock {
    const made: FlowBlock = {
      id: this.blocks.length,
      events: [],
      successors: [],
      predecessors: [],
      hasContent: false,
      endsAnnotated: false,
    };
    this.blocks.push(made);
    return made;
  }

  #leaveTo(successors: (FlowBlock | undefined)[], branch?: FlowBlock["branch"]): void {
    const at = this.#at;
    at.successors = successors;
    if (branch !== undefined) {
      at.branch = branch;
      at.hasContent = true;
      at.endsAnnotated = false;
    }
    for (const next of successors) next?.predecessors.push(at);
  }

  /** Goes on in `next`, where control arrives from here too. */
  #enter(next: FlowBlock): void {
    this.#leaveTo([next]);
    this.#at = next;
  }

  /** What follows is not reached from here. */
  #stop(): void {
    this.#at = this.#block();
  }

  /** A statement stands here. */
  #content(isAnnotation = false): void {
    this.#at.hasContent = true;
    this.#at.endsAnnotated = isAnnotation;
  }

  #jump(target: FlowBlock | undefined): void {
    this.#content();
    this.#leaveTo([target]);
    this.#stop();
  }

  #event(kind: FlowEvent["kind"], symbol: VariableSymbol, span: Span): void {
    const mentions = this.#mentions.get(symbol);
    if (mentions === undefined) return;
    this.#mentions.set(symbol, mentions + 1);
    this.#at.events.push({ kind, symbol, span });
  }

  // Expressions

  #all(parts: readonly CheckedExpression[]): void {
    for (const part of parts) this.#expression(part);
  }

  #expression(e: CheckedExpression): void {
    switch (e.kind) {
      case "variable":
        this.#event("set", e.symbol, e.span);
        return;
      case "cast":
        this.#cast(e);
        return;
      case "assign":
        this.#expression(e.value);
        this.#expression(e.target);
        return;
      case "compound_assign":
        this.#expression(e.value);
        this.#update(e.target);
        return;
      case "increment":
        this.#update(e.target);
        return;
      case "arithmetic":
        this.#arithmetic(e);
        return;
      case "logical":
        this.#logical(e);
        return;
      case "conditional":
        this.#conditional(e);
        return;
      case "statement_expression":
        for (const statement of e.body) this.statement(statement);
        if (e.result !== undefined) this.#expression(e.result);
        return;
      case "builtin":
        if (!isUnevaluated(e.name)) this.#all(e.args);
        break;
      default:
        this.#all(childrenOf(e));
    }
    if (neverReturns(e)) this.#jump(undefined);
  }

  /** Long sums lean to the left; they are walked in a loop. */
  #arithmetic(e: Extract<CheckedExpression, { kind: "arithmetic" }>): void {
    const rest: CheckedExpression[] = [];
    let first: CheckedExpression = e;
    for (; first.kind === "arithmetic"; first = first.left) rest.push(first.right);
    this.#expression(first);
    this.#all(rest.reverse());
  }

  #cast(e: Extract<CheckedExpression, { kind: "cast" }>): void {
    const { operand } = e;
    // `(void)x` reads nothing.
    const inner = e.cast === "to_void" && operand.kind === "cast" ? operand.operand : operand;
    if (e.cast === "to_void" && inner.kind === "variable") return;
    if (e.cast === "lvalue_to_rvalue" && operand.kind === "variable")
      this.#event("use", operand.symbol, operand.span);
    else this.#expression(operand);
  }

  /** What `+=` and `++` make of an unset variable is no better than before. */
  #update(target: CheckedExpression): void {
    if (target.kind === "variable") this.#event("use", target.symbol, target.span);
    else this.#expression(target);
  }

  #logical(e: LogicalExpression): void {
    const [right, end] = [this.#block(), this.#block()];
    this.#condition(e.left, e.op === "and" ? right : end, e.op === "and" ? end : right, {
      word: e.op === "and" ? "&&" : "||",
      span: e.left.span,
    });
    this.#at = right;
    this.#expression(e.right);
    this.#enter(end);
  }

  #conditional(e: Extract<CheckedExpression, { kind: "conditional" }>): void {
    const [then, otherwise, end] = [this.#block(), this.#block(), this.#block()];
    this.#condition(e.condition, then, otherwise, { word: "?:", span: e.condition.span });
    this.#at = then;
    this.#expression(e.then);
    this.#enter(end);
    this.#at = otherwise;
    this.#expression(e.otherwise);
    this.#enter(end);
  }

  /** Evaluates a condition and leaves for one of two blocks. */
  #condition(
    e: CheckedExpression,
    yes: FlowBlock,
    no: FlowBlock,
    branch: NonNullable<FlowBlock["branch"]>,
  ): void {
    if (e.kind === "unary" && e.op === "not") {
      const before = this.blocks.length;
      const [flippedYes, flippedNo] = [this.#block(), this.#block()];
      if (asLogical(e.operand) !== undefined) {
        this.#condition(e.operand, flippedYes, flippedNo, branch);
        this.#at = flippedYes;
        this.#enter(no);
        this.#at = flippedNo;
        this.#enter(yes);
        return;
      }
      this.blocks.length = before;
    }
    const logical = asLogical(e);
    if (logical !== undefined) {
      const right = this.#block();
      const own = { word: logical.op === "and" ? "&&" : "||", span: logical.left.span } as const;
      if (logical.op === "and") this.#condition(logical.left, right, no, own);
      else this.#condition(logical.left, yes, right, own);
      this.#at = right;
      this.#condition(logical.right, yes, no, branch);
      return;
    }
    const truth = constantTruth(e);
    this.#expression(e);
    this.#leaveTo([truth === false ? undefined : yes, truth === true ? undefined : no], branch);
  }

  // Statements

  statement(s: CheckedStatement): void {
    switch (s.kind) {
      case "compound":
        if (s.fallthrough !== undefined) this.#content(s.fallthrough);
        for (const inner of s.body) this.statement(inner);
        return;
      case "expression":
        this.#content();
        this.#expression(s.value);
        this.#content();
        return;
      case "local":
        this.#local(s.symbol, s.initializer, s.span);
        return;
      case "if":
        this.#if(s);
        return;
      case "switch":
        this.#switch(s);
        return;
      case "case":
        this.#case(s, false);
        return;
      case "loop":
        this.#loop(s);
        return;
      case "label":
        this.#enter(this.#label(s.label));
        this.statement(s.body);
        return;
      case "goto":
        this.#jump(this.#label(s.label));
        return;
      case "break":
        this.#jump(this.#breaks.at(-1));
        return;
      case "continue":
        this.#jump(this.#continues.at(-1));
        return;
      case "return":
        if (s.value !== undefined) this.#expression(s.value);
        this.#jump(undefined);
        return;
      case "asm":
        this.#asm(s);
        return;
    }
  }

  #label(label: LabelSymbol): FlowBlock {
    const block = this.#labels.get(label) ?? this.#block();
    this.#labels.set(label, block);
    return block;
  }

  #local(symbol: VariableSymbol, initializer: CheckedInitializer | undefined, span: Span): void {
    this.#content();
    if (isInteger(symbol.type) || isPointer(symbol.type)) this.#mentions.set(symbol, 0);
    this.#event("declare", symbol, span);
    if (initializer !== undefined) this.#all(initializerParts(initializer));
    const isOwnSource = (this.#mentions.get(symbol) ?? 0) > 1;
    this.variables.push({ symbol, initializer, isOwnSource });
    if (initializer !== undefined) this.#event("set", symbol, span);
  }

  /** With all links of a chain of `else if`, which may be thousands. */
  #if(s: Extract<CheckedStatement, { kind: "if" }>): void {
    const end = this.#block();
    let rest: CheckedStatement | undefined = s;
    while (rest?.kind === "if") {
      const [then, otherwise] = [this.#block(), this.#block()];
      const no = rest.otherwise === undefined ? end : otherwise;
      this.#condition(rest.condition, then, no, { word: "if", span: rest.condition.span });
      this.#at = then;
      this.statement(rest.then);
      this.#enter(end);
      if (rest.otherwise === undefined) return;
      this.#at = otherwise;
      rest = rest.otherwise;
    }
    if (rest !== undefined) this.statement(rest);
    this.#enter(end);
  }

  #switch(s: Extract<CheckedStatement, { kind: "switch" }>): void {
    this.#expression(s.value);
    const end = this.#block();
    const targets = s.cases.map(({ caseId }) => this.#caseBlock(s.id, caseId));
    const other = s.hasDefault ? this.#caseBlock(s.id, -1) : end;
    this.#leaveTo([...new Set([...targets, other])], { word: "switch", span: s.value.span });
    this.#stop();
    this.#breaks.push(end);
    this.statement(s.body);
    this.#breaks.pop();
    this.#enter(end);
  }

  #caseBlock(switchId: number, caseId: number): FlowBlock {
    const key = `${switchId}:${caseId}`;
    const block = this.#cases.get(key) ?? this.#block();
    this.#cases.set(key, block);
    return block;
  }

  #case(s: Extract<CheckedStatement, { kind: "case" }>, isChained: boolean): void {
    const block = this.#caseBlock(s.switchId, s.caseId);
    block.caseLabel = { span: s.span, isDefault: s.caseId < 0, isChained };
    this.#enter(block);
    if (s.body.kind === "case") this.#case(s.body, true);
    else this.statement(s.body);
  }

  #loop(s: Extract<CheckedStatement, { kind: "loop" }>): void {
    const { condition, init, step } = s;
    if (init !== undefined) this.statement(init);
    const [body, test, next, end] = [this.#block(), this.#block(), this.#block(), this.#block()];
    const check = (): void => {
      if (condition === undefined) this.#leaveTo([body]);
      else this.#condition(condition, body, end, { word: s.form, span: condition.span });
    };
    if (s.form === "do") this.#enter(body);
    else {
      this.#enter(test);
      check();
      this.#at = body;
    }
    this.#breaks.push(end);
    this.#continues.push(next);
    this.statement(s.body);
    this.#breaks.pop();
    this.#continues.pop();
    this.#enter(next);
    if (step !== undefined) this.#expression(step);
    this.#enter(test);
    if (s.form === "do") check();
    this.#at = end;
  }

  #asm(s: Extract<CheckedStatement, { kind: "asm" }>): void {
    this.#content();
    this.#all([...s.outputs, ...s.inputs].map(({ value }) => value));
    if (s.labels.length === 0) return;
    const onward = this.#block();
    this.#leaveTo([onward, ...s.labels.map((label) => this.#label(label))]);
    this.#at = onward;
  }
}

/** Builtins that look at the shape of an operand and do not evaluate it. */
function isUnevaluated(name: string): boolean {
  if (name === "__builtin_preserve_access_index") return false;
  return name.startsWith("__builtin_preserve") || name === "__builtin_constant_p";
}

/** The graph of a function. */
export function flowGraph({ body }: CheckedFunctionBody): FlowGraph {
  const builder = new FlowBuilder();
  builder.statement(body);
  const { blocks, variables } = builder;
  return { entry: blocks[0]!, blocks, variables };
}

/** The blocks that control reaches, in an order that puts most blocks behind their predecessors. */
export function reachableBlocks({ entry }: FlowGraph): readonly FlowBlock[] {
  const done = new Set<FlowBlock>();
  const order: FlowBlock[] = [];
  const pending: { block: FlowBlock; next: number }[] = [{ block: entry, next: 0 }];
  done.add(entry);
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const successor = top.block.successors[top.next];
    if (top.next >= top.block.successors.length) {
      order.push(top.block);
      pending.pop();
    } else {
      top.next += 1;
      if (successor === undefined || done.has(successor)) continue;
      done.add(successor);
      pending.push({ block: successor, next: 0 });
    }
  }
  return order.reverse();
}
