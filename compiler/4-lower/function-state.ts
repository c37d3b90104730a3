/**
 * The function being lowered: where instructions go, what variables are, which scopes are open.
 * Expressions and statements are lowered by functions that take it.
 */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import {
  lineColumnAt,
  lineText,
  presumedPlace,
  type Span,
} from "../../common/diagnostics/source.ts";
import type {
  CheckedExpression,
  CheckedInitializer,
  CheckedStatement,
  FunctionSymbol,
  LabelSymbol,
  VariableSymbol,
} from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import type { QualType } from "../3-check/types.ts";
import type {
  Block,
  DebugLocation,
  IrFunction,
  IrInstruction,
  IrType,
  Operation,
  Value,
} from "./ir.ts";
import {
  appendInstruction,
  constant,
  createBlock,
  createInstruction,
  isTerminator,
} from "./ir-builder.ts";
import type { ModuleState } from "./module-state.ts";
import type { PendingJump, Scope, ScopeSnapshot } from "./scopes.ts";

/** What break and continue leave, and how many scopes are open around them. */
export interface JumpTarget {
  readonly breakTo: Block;
  /** Undefined in a switch. */
  readonly continueTo: Block | undefined;
  readonly scopeDepth: number;
}

/** The lowering of nodes, called back by the parts that meet nested ones. */
export interface NodeVisitor {
  /** The value; of memory types the address; of void an arbitrary constant. */
  readonly rvalue: (expr: CheckedExpression) => Value;
  readonly condition: (expr: CheckedExpression) => Value;
  readonly statement: (statement: CheckedStatement) => void;
  /** Fills the object at that address. */
  readonly initialize: (address: Value, type: QualType, initializer: CheckedInitializer) => void;
}

export class FunctionState {
  readonly module: ModuleState;
  readonly fn: IrFunction;
  readonly symbol: FunctionSymbol;
  /** Stack object of each local variable. */
  readonly slots = new Map<VariableSymbol, Value>();
  /** Values of `a ?: b` by id. */
  readonly bound = new Map<number, Value>();
  readonly jumpTargets: JumpTarget[] = [];
  readonly scopes: Scope[] = [];
  /** Blocks of labels, made when first mentioned. */
  readonly labels = new Map<LabelSymbol, Block>();
  /** Open scopes at each label's place, known once it was lowered. */
  readonly labelScopes = new Map<LabelSymbol, ScopeSnapshot>();
  readonly pendingJumps: PendingJump[] = [];
  /** Stack objects that control can reach without passing their declaration. */
  readonly bypassed = new Set<Value>();
  /** Open scopes around each switch, by its id. */
  readonly switchDepths = new Map<number, number>();
  /** Blocks of switch cases, by switch and case id. */
  readonly caseBlocks = new Map<string, Block>();
  /** Hidden parameter for a record result. */
  resultAddress: Value | undefined;
  /** Inside __builtin_preserve_access_index. */
  preserving = 0;
  readonly visit: NodeVisitor;
  block: Block;
  location: DebugLocation | undefined;
  #allocas = 0;
  /** Of the statement that is being lowered; undefined where nobody ends their lives. */
  #temporaries: Value[] | undefined;
  #span: Span | undefined;
  readonly #placed = new Set<Block>();

  constructor(
    module: ModuleState,
    fn: IrFunction,
    symbol: FunctionSymbol,
    visitor: (state: FunctionState) => NodeVisitor,
  ) {
    this.module = module;
    this.fn = fn;
    this.symbol = symbol;
    this.block = createBlock(fn, "entry");
    this.visit = visitor(this);
  }

  /** Sets the location of what follows; spans of macros count at their expansion, as in clang. */
  at(span: Span): void {
    this.#span = span;
    this.location = this.module.locationOf(span, this.symbol.linkName);
  }

  emit(type: IrType, operation: Operation, operands: readonly Value[]): IrInstruction {
    if (this.isTerminated) this.startBlock(this.newBlock("dead"));
    return appendInstruction(this.fn, this.block, type, operation, operands, this.location);
  }

  /** An error at the present place. */
  error(code: string, message: string): void {
    this.module.diagnostics.error(code, message, this.#span);
  }

  get isTerminated(): boolean {
    const last = this.block.instructions.at(-1);
    return last !== undefined && isTerminator(last.operation);
  }

  newBlock(name: string): Block {
    return createBlock(this.fn, name, true);
  }

  /** Goes on in that block, which is appended if it is new. */
  startBlock(block: Block): void {
    if (!this.#placed.has(block)) {
      this.#placed.add(block);
      this.fn.blocks.push(block);
    }
    this.block = block;
  }

  /** Falls through to a block, unless this one has ended. */
  branchTo(target: Block): void {
    if (!this.isTerminated) this.emit("void", { op: "br", target }, []);
  }

  branchIf(condition: Value, then: Block, otherwise: Block, likely?: boolean): void {
    const operation: Operation = { op: "condbr", then, otherwise };
    if (likely !== undefined) operation.likely = likely;
    this.emit("void", operation, [condition]);
  }

  /** A stack object in the entry block. */
  alloca(size: number, align: number, name: string): IrInstruction {
    const entry = this.fn.blocks[0];
    if (entry === undefined) throw new InternalError("a function without an entry block");
    const operation: Operation = { op: "alloca", size, align, name };
    const made = createInstruction(this.fn, entry, "ptr", operation, [], this.location);
    made.name = name;
    entry.instructions.splice(this.#allocas, 0, made);
    this.#allocas += 1;
    return made;
  }

  /** An object that lives until the end of the statement around it. */
  temporary(size: number, align: number, name: string): IrInstruction {
    const slot = this.alloca(size, align, name);
    if (this.#temporaries !== undefined) {
      this.emit("void", { op: "lifetime_start" }, [slot]);
      this.#temporaries.push(slot);
    }
    return slot;
  }

  temporaryOf(type: QualType, name: string): IrInstruction {
    return this.temporary(sizeOf(type), Math.max(1, alignOf(type)), name);
  }

  /** Lowers a statement without inner control flow; temporaries that it makes die at its end. */
  withTemporaries(body: () => void): void {
    const outer = this.#temporaries;
    const own: Value[] = [];
    this.#temporaries = own;
    body();
    this.#temporaries = outer;
    if (this.isTerminated) return;
    for (const slot of own) this.emit("void", { op: "lifetime_end" }, [slot]);
  }

  /** `base + offset` bytes; no instruction for 0. */
  offset(base: Value, offset: number): Value {
    return offset === 0
      ? base
      : this.emit("ptr", { op: "ptradd" }, [base, constant("i64", offset)]);
  }

  labelBlock(label: LabelSymbol): Block {
    const known = this.labels.get(label);
    if (known !== undefined) return known;
    const made = this.newBlock(label.name);
    this.labels.set(label, made);
    return made;
  }

  caseBlock(switchId: number, caseId: number): Block {
    const key = `${switchId}:${caseId}`;
    const known = this.caseBlocks.get(key);
    if (known !== undefined) return known;
    const made = this.newBlock(caseId < 0 ? "default" : "case");
    this.caseBlocks.set(key, made);
    return made;
  }
}

/** Where a span stands: the outermost macro expansion. */
export function debugLocation(
  span: Span,
  scope: string,
  mapPath: (path: string) => string,
): DebugLocation {
  let place = span;
  while (place.expandedFrom !== undefined) place = place.expandedFrom;
  const text = lineText(place.file, lineColumnAt(place.file, place.start).line);
  const { path, line, column } = presumedPlace(place.file, place.start);
  return { file: mapPath(path), line, column, text, scope };
}
