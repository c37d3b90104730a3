/** Making symbols and joining the declarations of one: linkage, types, attributes (C17 6.2.2, 6.7). */
import type { Span } from "../../common/diagnostics/source.ts";
import type { StorageClass } from "../2-parse/ast.ts";
import { mergeSymbolAttributes, type ParsedAttributes, symbolAttributes } from "./attributes.ts";
import type { FunctionSymbol, VariableSymbol } from "./checked.ts";
import { compatible, composite } from "./compatible.ts";
import { type Context, type Entity, previousNote, report } from "./context.ts";
import { quoteType } from "./print-type.ts";
import { isError } from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** A declaration of one name, its parts read. */
export interface DeclaredName {
  readonly name: string;
  readonly span: Span;
  readonly type: QualType;
  readonly storage: StorageClass | undefined;
  readonly inline: boolean;
  readonly noreturn: boolean;
  readonly attributes: Readonly<ParsedAttributes>;
  readonly asmLabel: string | undefined;
}

export function newVariable(
  context: Context,
  declared: DeclaredName,
  storage: VariableSymbol["storage"],
  linkName = declared.asmLabel ?? declared.name,
): VariableSymbol {
  context.ids.symbol += 1;
  const { name, type, span, attributes } = declared;
  const symbol: VariableSymbol = {
    kind: "variable",
    id: context.ids.symbol,
    name,
    linkName,
    type,
    storage,
    attributes: symbolAttributes(attributes),
    defined: storage !== "extern",
    referenced: false,
    span,
    ...(storage === "local" &&
      declared.asmLabel !== undefined && { asmRegister: declared.asmLabel }),
  };
  if (attributes.unused || attributes.used) context.unusedAllowed.add(symbol);
  return symbol;
}

function inlineKind(declared: DeclaredName): FunctionSymbol["inline"] {
  if (declared.attributes.alwaysInline) return "always";
  if (declared.attributes.noInline) return "never";
  return declared.inline ? "hint" : "default";
}

export function newFunction(context: Context, declared: DeclaredName): FunctionSymbol {
  context.ids.symbol += 1;
  const { name, type, span, attributes } = declared;
  const symbol: FunctionSymbol = {
    kind: "function",
    id: context.ids.symbol,
    name,
    linkName: declared.asmLabel ?? name,
    type,
    linkage: declared.storage === "static" ? "static" : "extern",
    inline: inlineKind(declared),
    attributes: symbolAttributes(attributes),
    naked: attributes.naked,
    noreturn: attributes.noreturn || declared.noreturn,
    ...(attributes.errorMessage !== undefined && { errorMessage: attributes.errorMessage }),
    referenced: false,
    span,
  };
  if (attributes.warnUnusedResult) context.unusedResult.add(symbol);
  if (attributes.unused || attributes.used) context.unusedAllowed.add(symbol);
  return symbol;
}

/** Reports a name that already means something else; gives whether it does. */
export function clashes(
  context: Context,
  earlier: Entity | undefined,
  declared: DeclaredName,
  kind: Entity["kind"],
): boolean {
  if (earlier === undefined || earlier.kind === kind) return false;
  report(context, "redefinitionKind", declared.span, [declared.name], previousNote(earlier.span));
  return true;
}

function isStatic(symbol: FunctionSymbol | VariableSymbol): boolean {
  return symbol.kind === "function" ? symbol.linkage === "static" : symbol.storage === "static";
}

/** Reports a clash of `static` with an earlier declaration. */
function checkLinkage(
  context: Context,
  symbol: FunctionSymbol | VariableSymbol,
  declared: DeclaredName,
): void {
  const previous = previousNote(symbol.span, "previous declaration is here");
  if (declared.storage === "static" && !isStatic(symbol)) {
    report(context, "staticAfterNonStatic", declared.span, [declared.name], previous);
  } else if (symbol.kind === "variable" && declared.storage === undefined && isStatic(symbol)) {
    report(context, "nonStaticAfterStatic", declared.span, [declared.name], previous);
  }
}

/** What both declarations say holds, of functions and variables. */
function join(
  context: Context,
  symbol: FunctionSymbol | VariableSymbol,
  declared: DeclaredName,
): void {
  checkLinkage(context, symbol, declared);
  symbol.type = composite(symbol.type, declared.type);
  symbol.attributes = mergeSymbolAttributes(
    symbol.attributes,
    symbolAttributes(declared.attributes),
  );
}

/** Joins a further declaration of a function to its symbol; false after a report. */
export function redeclareFunction(
  context: Context,
  symbol: FunctionSymbol,
  declared: DeclaredName,
): boolean {
  if (isError(declared.type) || isError(symbol.type)) return false;
  if (!compatible(symbol.type, declared.type)) {
    report(
      context,
      "conflictingTypes",
      declared.span,
      [declared.name],
      previousNote(
        symbol.span,
        symbol.body === undefined && !context.pendingBodies.has(symbol)
          ? "previous declaration is here"
          : "previous definition is here",
      ),
    );
    return false;
  }
  join(context, symbol, declared);
  const kind = inlineKind(declared);
  if (symbol.inline === "default" || kind === "always" || kind === "never") {
    symbol.inline = kind === "default" ? symbol.inline : kind;
  }
  symbol.naked ||= declared.attributes.naked;
  symbol.noreturn ||= declared.attributes.noreturn || declared.noreturn;
  if (declared.attributes.errorMessage !== undefined) {
    symbol.errorMessage = declared.attributes.errorMessage;
  }
  if (declared.attributes.unused) context.unusedAllowed.add(symbol);
  return true;
}

/** Joins a further file-scope declaration of a variable to its symbol; false after a report. */
export function redeclareVariable(
  context: Context,
  symbol: VariableSymbol,
  declared: DeclaredName,
): boolean {
  if (isError(declared.type) || isError(symbol.type)) return false;
  if (!compatible(symbol.type, declared.type)) {
    const name = symbol.defined ? "redefinitionType" : "redeclarationType";
    report(
      context,
      name,
      declared.span,
      [declared.name, quoteType(declared.type), quoteType(symbol.type)],
      previousNote(
        symbol.span,
        symbol.defined ? "previous definition is here" : "previous declaration is here",
      ),
    );
    return false;
  }
  join(context, symbol, declared);
  return true;
}
