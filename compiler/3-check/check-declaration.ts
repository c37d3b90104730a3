/**
 * Declarations at file scope and in blocks. One file because both share nearly all of their steps:
 * reading the name, deducing the type, initialising static objects.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  Declaration,
  DeclarationSpecifiers,
  Declarator,
  Expression,
  ExternalDeclaration,
  Initializer,
  TypeName,
} from "../2-parse/ast.ts";
import { noAttributes, type ParsedAttributes, parseAttributes } from "./attributes.ts";
import { checkFunctionDefinition, declareFunction } from "./check-function.ts";
import { checkStaticAssert } from "./check-static-assert.ts";
import { forwardNote } from "./check-tag.ts";
import type {
  CheckedExpression,
  CheckedInitializer,
  CheckedStatement,
  FunctionSymbol,
  VariableSymbol,
} from "./checked.ts";
import { compatible } from "./compatible.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import {
  type Context,
  type Entity,
  previousNote,
  refer,
  report,
  type TypedefEntity,
} from "./context.ts";
import { convert, decay } from "./conversions.ts";
import { alignOf, sizeOf } from "./layout.ts";
import { quoteType } from "./print-type.ts";
import { declare, lookUp, lookUpHere } from "./scope.ts";
import { staticData } from "./static-data.ts";
import { clashes, type DeclaredName, newVariable, redeclareVariable } from "./symbols.ts";
import { applyTypeAttributes } from "./type-attributes.ts";
import {
  asArray,
  asEnum,
  asFunction,
  asRecord,
  bare,
  canonical,
  errorType,
  integerSize,
  isComplete,
  isError,
  isInteger,
  isVoid,
  plain,
  pointeeOf,
  pointerTo,
  sizeType,
  unqualified,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** Declarations whose attributes are read by several declarators read them once. */
function readAttributes(
  context: Context,
  specifiers: DeclarationSpecifiers,
  declarator: Declarator,
): Readonly<ParsedAttributes> {
  const parsed = parseAttributes(context, specifiers.attributes, declarator.attributes);
  const aligned = specifiers.alignas.map((operand) => alignment(context, operand));
  const raised = Math.max(0, ...aligned);
  return raised === 0 ? parsed : { ...parsed, align: Math.max(raised, parsed.align ?? 0) };
}

function alignment(context: Context, operand: Expression | TypeName): number {
  if (operand.kind === "type_name") return alignOf(context.recurse.typeName(context, operand));
  const checked = decay(context.recurse.expression(context, operand));
  const value = isError(checked.type) ? undefined : evaluateInteger(checked);
  if (value === undefined && !isError(checked.type)) report(context, "notConstant", operand.span);
  const bytes = Number(value?.value ?? 0n);
  if (bytes >= 0 && (bytes & (bytes - 1)) === 0) return bytes;
  report(context, "alignmentPower", operand.span);
  return 0;
}

function readName(
  context: Context,
  specifiers: DeclarationSpecifiers,
  declarator: Declarator,
  base: QualType,
): DeclaredName {
  const written = context.recurse.declaratorType(context, base, declarator);
  const type = applyTypeAttributes(context, written, declarator.attributes);
  return {
    name: declarator.name ?? "",
    span: declarator.nameSpan,
    type,
    storage: specifiers.storage,
    inline: specifiers.inline,
    noreturn: specifiers.noreturn,
    attributes: readAttributes(context, specifiers, declarator),
    asmLabel: declarator.asmLabel,
  };
}

function declareTypedef(context: Context, declared: DeclaredName): void {
  const { name, span, attributes } = declared;
  const type = plain({
    kind: "typedef",
    name,
    type: declared.type,
    ...(attributes.align !== undefined && { align: attributes.align }),
    ...(attributes.declTags.length > 0 && { declTags: attributes.declTags }),
    ...(attributes.preserveAccessIndex && { preserveAccessIndex: true }),
  });
  const earlier = lookUpHere(context, name);
  if (clashes(context, earlier, declared, "typedef")) return;
  if (earlier !== undefined) {
    if (isError(earlier.type) || isError(type)) return;
    const isAgain = compatible(earlier.type, type);
    if (!isAgain && meansSameInSystem(earlier, declared)) {
      if (span.file.isSystem) return;
    } else if (!isAgain) {
      const types = [quoteType(declared.type), quoteType(canonicalTypedef(earlier))];
      report(context, "redefinitionTypedef", span, types, previousNote(earlier.span));
      return;
    }
  }
  const entity: TypedefEntity = {
    kind: "typedef",
    name,
    type: isError(declared.type) ? errorType : type,
    span,
    ordinal: context.ordinal,
    ...(earlier?.kind === "typedef" && { earlier }),
  };
  if (attributes.unused) context.unusedAllowed.add(entity);
  declare(context, name, entity);
}

/**
 * What a system's header calls `long` is `long long` in another system's, as are the fixed-width types of
 * glibc by what it was configured for. They are the same numbers, and it is the program's own words that count.
 */
function meansSameInSystem(earlier: Entity, { span, type }: DeclaredName): boolean {
  if (!earlier.span.file.isSystem && !span.file.isSystem) return false;
  const [was, is] = [bare(earlier.type), bare(type)];
  if (was.kind !== "int" || is.kind !== "int" || was.signed !== is.signed) return false;
  return integerSize(was) === integerSize(is);
}

function canonicalTypedef(entity: Entity): QualType {
  return entity.type.type.kind === "typedef" ? entity.type.type.type : entity.type;
}

/** The type that `__auto_type` takes from its initialiser. */
function deducedType(
  context: Context,
  declarator: Declarator,
  initializer: Initializer | undefined,
): { type: QualType; initializer?: CheckedInitializer } {
  const { name, nameSpan } = declarator;
  if (initializer === undefined) {
    report(context, "autoTypeNeedsInit", nameSpan, [name ?? ""]);
    return { type: errorType };
  }
  if (initializer.kind === "list") {
    report(context, "autoTypeBraces", nameSpan);
    return { type: errorType };
  }
  const value = decay(context.recurse.expression(context, initializer.value));
  if (isError(value.type)) return { type: errorType };
  if (isVoid(value.type)) {
    report(context, "autoTypeVoid", nameSpan, [quoteType(value.type)]);
    return { type: errorType };
  }
  const type = unqualified(value.type);
  return { type, initializer: { kind: "expression", value: convert(value, type) } };
}

/** Remembers the value of a const integer, which later constants may use. */
function rememberConstant(
  context: Context,
  symbol: VariableSymbol,
  initializer: CheckedInitializer,
): void {
  const type = canonical(symbol.type);
  if (!type.const || type.volatile || !isInteger(type) || symbol.attributes.weak) return;
  if (initializer.kind !== "expression") return;
  const value = evaluateInteger(initializer.value, { constants: context.constants });
  if (value !== undefined) context.constants.set(symbol, value.value);
}

/** Runs, collecting what the checked code refers to as the symbol's own needs. */
function withReferences<T>(context: Context, symbol: VariableSymbol, run: () => T): T {
  const outer = context.references;
  const own = context.dependencies.get(symbol) ?? new Set<FunctionSymbol | VariableSymbol>();
  context.references = own;
  context.dependencies.set(symbol, own);
  try {
    return run();
  } finally {
    context.references = outer;
  }
}

/** The initialiser of a variable with static storage: bytes and relocations. */
function initializeStatic(
  context: Context,
  symbol: VariableSymbol,
  initializer: Initializer,
  auto: CheckedInitializer | undefined,
): void {
  const inside = context.function;
  const errors = context.diagnostics.faultCount;
  withReferences(context, symbol, () => {
    const made = auto
      ? { type: symbol.type, initializer: auto }
      : context.recurse.initializer(context, symbol.type, initializer, symbol.span);
    if (made === undefined) {
      if (asArray(symbol.type) !== undefined && !isComplete(symbol.type)) symbol.type = errorType;
      return;
    }
    symbol.type = made.type;
    rememberConstant(context, symbol, made.initializer);
    const data = staticData(context, made.type, made.initializer, symbol.span);
    if (data !== undefined) symbol.data = data;
  });
  context.function = inside;
  if (context.diagnostics.faultCount > errors) context.unusedAllowed.add(symbol);
}

/** Whether a variable of this type may be defined; arrays may get their length later. */
function checkDefinable(
  context: Context,
  declared: DeclaredName,
  hasInitializer: boolean,
): boolean {
  const { type, span } = declared;
  if (isError(type)) return false;
  const array = asArray(type);
  if (array !== undefined && array.length === undefined) {
    if (hasInitializer) return true;
    report(context, "arrayNeedsSize", span);
    return false;
  }
  if (isComplete(type)) return true;
  report(context, "incompleteVariable", span, [quoteType(type)], forwardNote(type));
  return false;
}

function globalStorage(declared: DeclaredName, hasInitializer: boolean): VariableSymbol["storage"] {
  if (declared.storage === "static") return "static";
  return declared.storage === "extern" && !hasInitializer ? "extern" : "global";
}

function enterGlobal(
  context: Context,
  declared: DeclaredName,
  hasInit: boolean,
): VariableSymbol | undefined {
  const earlier = lookUpHere(context, declared.name);
  if (clashes(context, earlier, declared, "variable")) return undefined;
  const storage = globalStorage(declared, hasInit);
  if (earlier?.kind !== "variable") {
    const symbol = newVariable(context, declared, storage);
    declare(context, declared.name, symbol);
    context.variables.push(symbol);
    context.places.set(symbol, context.ordinal);
    return symbol;
  }
  if (!redeclareVariable(context, earlier, declared)) return undefined;
  if (storage !== "extern" && earlier.storage === "extern") earlier.storage = storage;
  return earlier;
}

/** Reports a second definition with an initialiser. */
function checkSingleDefinition(
  context: Context,
  symbol: VariableSymbol,
  declared: DeclaredName,
): boolean {
  if (!context.initialized.has(symbol)) {
    context.initialized.add(symbol);
    return true;
  }
  report(context, "redefinition", declared.span, [declared.name], previousNote(symbol.span));
  return false;
}

function declareGlobal(
  context: Context,
  declared: DeclaredName,
  initializer: Initializer | undefined,
  auto: CheckedInitializer | undefined,
): void {
  const { storage, span } = declared;
  if (storage === "auto" || storage === "register") {
    report(context, "invalidStorageFile", span);
    return;
  }
  if (storage === "extern" && initializer !== undefined) report(context, "externInitializer", span);
  if (declared.attributes.weak && storage === "static") report(context, "weakStatic", span);
  const symbol = enterGlobal(context, declared, initializer !== undefined);
  if (symbol === undefined) return;
  if (symbol.storage === "extern" && initializer === undefined) {
    if (isVoid(declared.type) && !declared.type.const && storage !== "extern") {
      checkDefinable(context, declared, false);
    }
    return;
  }
  if (storage === "extern" && initializer === undefined) return;
  symbol.defined = true;
  if (initializer === undefined) {
    context.tentative.add(symbol);
    if (isVoid(declared.type)) checkDefinable(context, declared, false);
    return;
  }
  if (!checkDefinable(context, declared, true)) {
    symbol.type = errorType;
    return;
  }
  if (checkSingleDefinition(context, symbol, declared)) {
    initializeStatic(context, symbol, initializer, auto);
  }
}

/** What all declared names share: no `inline` variables, no thread-local ones. */
function checkSpecifiers(
  context: Context,
  specifiers: DeclarationSpecifiers,
  declared: DeclaredName,
): void {
  if (specifiers.threadLocal) report(context, "threadLocal", declared.span);
  if (specifiers.inline && asFunction(declared.type) === undefined && !isError(declared.type)) {
    report(context, "inlineVariable", declared.span);
  }
}

function checkFileDeclaration(context: Context, declaration: Declaration): void {
  const { specifiers } = declaration;
  const isolated = declaration.declarators.length === 0;
  const isAuto = specifiers.type.kind === "auto_type";
  const base = context.recurse.specifiedType(context, specifiers, isolated);
  if (isolated) warnEmpty(context, declaration);
  for (const { declarator, initializer, broken } of declaration.declarators) {
    if (declarator.name === undefined) continue;
    const auto =
      isAuto && broken !== true ? deducedType(context, declarator, initializer) : undefined;
    const named = readName(context, specifiers, declarator, auto?.type ?? base);
    const declared = broken === true ? { ...named, type: errorType } : named;
    checkSpecifiers(context, specifiers, declared);
    if (specifiers.storage === "typedef") {
      if (initializer !== undefined) report(context, "initializedTypedef", declared.span);
      declareTypedef(context, declared);
    } else if (asFunction(declared.type) !== undefined) {
      if (initializer !== undefined) report(context, "initializedFunction", declared.span);
      declareFunction(context, declared);
    } else declareGlobal(context, declared, initializer, auto?.initializer);
  }
}

/** `int;` declares nothing; `struct x;` does. */
function warnEmpty(context: Context, declaration: Declaration): void {
  const { type } = declaration.specifiers;
  const declares =
    (type.kind === "record" && (type.tag !== undefined || type.members === undefined)) ||
    type.kind === "enum" ||
    type.kind === "missing";
  if (!declares) report(context, "emptyDeclaration", declaration.span);
}

export function checkExternalDeclaration(context: Context, declaration: ExternalDeclaration): void {
  switch (declaration.kind) {
    case "declaration":
      checkFileDeclaration(context, declaration);
      return;
    case "function_definition":
      checkFunctionDefinition(context, declaration, readName);
      return;
    case "static_assert":
      checkStaticAssert(context, declaration);
      return;
    case "file_asm":
      context.fileAsm.push({ text: declaration.text, span: declaration.span });
      return;
  }
}

/** The function that `cleanup` names, checked against the variable. */
function cleanupFunction(
  context: Context,
  symbol: VariableSymbol,
  cleanup: { readonly name: string; readonly span: Span },
): FunctionSymbol | undefined {
  const found = lookUp(context, cleanup.name);
  if (found?.kind !== "function") {
    report(context, "cleanupFunction", cleanup.span, [cleanup.name]);
    return undefined;
  }
  const type = asFunction(found.type);
  const [param] = type?.params ?? [];
  if (type === undefined || type.params.length !== 1 || param === undefined) {
    report(context, "cleanupParameters", cleanup.span, [cleanup.name]);
    return undefined;
  }
  const pointee = pointeeOf(param.type);
  const fits =
    pointee !== undefined &&
    (isVoid(pointee) ||
      compatible(unqualified(canonical(pointee)), unqualified(canonical(symbol.type))));
  if (!fits && !isError(symbol.type)) {
    report(context, "cleanupType", cleanup.span, [
      cleanup.name,
      quoteType(param.type),
      quoteType(plain({ kind: "pointer", pointee: symbol.type })),
    ]);
  }
  refer(context, found);
  return found;
}

function enterLocal(context: Context, declared: DeclaredName, symbol: VariableSymbol): void {
  const earlier = context.scope.ordinary.get(declared.name);
  if (earlier !== undefined && !clashes(context, earlier, declared, "variable")) {
    const sameType = isError(declared.type) || compatible(earlier.type, declared.type);
    const types = sameType ? [] : [quoteType(declared.type), quoteType(earlier.type)];
    report(
      context,
      sameType ? "redefinition" : "redefinitionType",
      declared.span,
      [declared.name, ...types],
      previousNote(earlier.span),
    );
  }
  declare(context, declared.name, symbol);
  context.function?.uses.set(symbol, { references: 0, stores: 0 });
}

/** `static` inside a function: `function.name` in the symbol table, numbered where it repeats. */
function staticLinkName(context: Context, name: string): string {
  const state = context.function;
  if (state === undefined) return name;
  const full = `${state.symbol.linkName}.${name}`;
  const count = state.staticNames.get(name) ?? 0;
  state.staticNames.set(name, count + 1);
  return count === 0 ? full : `${full}.${count}`;
}

function declareStaticLocal(
  context: Context,
  declared: DeclaredName,
  initializer: Initializer | undefined,
  auto: CheckedInitializer | undefined,
): void {
  const symbol = newVariable(context, declared, "static", staticLinkName(context, declared.name));
  enterLocal(context, declared, symbol);
  if (!checkDefinable(context, declared, initializer !== undefined)) {
    symbol.type = errorType;
    return;
  }
  context.variables.push(symbol);
  context.places.set(symbol, context.ordinal);
  if (initializer !== undefined) initializeStatic(context, symbol, initializer, auto);
}

function declareLocal(
  context: Context,
  declared: DeclaredName,
  initializer: Initializer | undefined,
  auto: CheckedInitializer | undefined,
  span: Span,
): CheckedStatement[] {
  const symbol = newVariable(context, declared, "local");
  enterLocal(context, declared, symbol);
  const { cleanup } = declared.attributes;
  const finish = cleanup && cleanupFunction(context, symbol, cleanup);
  if (finish !== undefined) symbol.cleanup = finish;
  if (!checkDefinable(context, declared, initializer !== undefined)) {
    symbol.type = errorType;
    if (initializer?.kind === "expression" && auto === undefined) {
      context.recurse.expression(context, initializer.value);
    }
    return [];
  }
  if (initializer === undefined) return [{ kind: "local", symbol, span }];
  const made = auto
    ? { type: declared.type, initializer: auto }
    : context.recurse.initializer(context, declared.type, initializer, declared.span);
  if (made === undefined) {
    if (!isComplete(symbol.type)) symbol.type = errorType;
    return [{ kind: "local", symbol, span }];
  }
  symbol.type = made.type;
  rememberConstant(context, symbol, made.initializer);
  return [{ kind: "local", symbol, initializer: made.initializer, span }];
}

/** `extern` in a block names an object of file scope. */
function declareExternHere(context: Context, declared: DeclaredName): void {
  const block = context.scope;
  context.scope = context.fileScope;
  const symbol = enterGlobal(context, { ...declared, storage: "extern" }, false);
  context.scope = block;
  if (symbol !== undefined) declare(context, declared.name, symbol);
}

/** A variable that no name reaches. */
function hiddenVariable(
  context: Context,
  declared: DeclaredName,
  type: QualType,
  value: CheckedExpression,
): { symbol: VariableSymbol; statement: CheckedStatement } {
  const { span } = declared;
  const symbol = newVariable(context, { ...declared, type, attributes: noAttributes() }, "local");
  const initializer = { kind: "expression" as const, value };
  return { symbol, statement: { kind: "local", symbol, initializer, span } };
}

/**
 * An array whose length is no constant: a pointer to an object made on the stack, which must get a
 * constant size by optimisation. Only the outermost length may be such.
 */
function declareRuntimeArray(
  context: Context,
  { parts }: Declarator,
  declared: DeclaredName,
  lengths: readonly CheckedExpression[],
): CheckedStatement[] {
  const { span, name, attributes } = declared;
  const [part] = parts;
  const [length] = lengths;
  const element = asArray(declared.type)?.element;
  const isOutermost = part?.kind === "array" && part.length?.span.start === length?.span.start;
  if (length === undefined || lengths.length > 1 || element === undefined || !isOutermost) {
    report(context, "variableLengthArray", span, [name]);
    enterLocal(context, declared, newVariable(context, { ...declared, type: errorType }, "local"));
    return [];
  }
  const type = plain({ kind: "array", element, length: 1, isVariable: true });
  const count = hiddenVariable(context, declared, sizeType, length);
  const read = decay({ kind: "variable", symbol: count.symbol, type: sizeType, span });
  const step: CheckedExpression = {
    ...{ kind: "constant", value: BigInt(sizeOf(element)), type: sizeType, span },
  };
  const bytes: CheckedExpression = {
    ...{ kind: "arithmetic", op: "mul", left: read, right: step, type: sizeType, span },
  };
  const bits = BigInt(8 * Math.max(attributes.align ?? 0, alignOf(element)));
  const args = [bytes, { ...step, value: bits }];
  const address = pointerTo(element);
  const made: CheckedExpression = {
    ...{ kind: "builtin", name: "__builtin_variable_length_array", args, type: address, span },
  };
  const pointer = hiddenVariable(context, declared, address, made);
  const symbol = newVariable(context, { ...declared, type }, "local");
  symbol.runtimeArray = { pointer: pointer.symbol, length: count.symbol };
  enterLocal(context, declared, symbol);
  return [count.statement, pointer.statement];
}

export function checkLocalDeclaration(
  context: Context,
  declaration: Declaration,
): CheckedStatement[] {
  const { specifiers } = declaration;
  const isolated = declaration.declarators.length === 0;
  const base = context.recurse.specifiedType(context, specifiers, isolated);
  if (isolated) warnEmpty(context, declaration);
  const result: CheckedStatement[] = [];
  for (const { declarator, initializer, broken } of declaration.declarators) {
    if (declarator.name === undefined) continue;
    const isAuto = specifiers.type.kind === "auto_type";
    const auto =
      isAuto && broken !== true ? deducedType(context, declarator, initializer) : undefined;
    context.quietFolding = specifiers.storage === undefined && initializer === undefined;
    const lengths: CheckedExpression[] = [];
    const around = context.variableLengths;
    if (context.quietFolding) context.variableLengths = lengths;
    const named = readName(context, specifiers, declarator, auto?.type ?? base);
    context.variableLengths = around;
    const declared = broken === true ? { ...named, type: errorType } : named;
    context.quietFolding = false;
    const [length] = lengths;
    if (length !== undefined || asArray(declared.type)?.isVariable === true) {
      result.push(...declareRuntimeArray(context, declarator, declared, lengths));
      continue;
    }
    checkSpecifiers(context, specifiers, declared);
    if (specifiers.storage === "typedef") declareTypedef(context, declared);
    else if (asFunction(declared.type) !== undefined) {
      if (specifiers.storage === "static") report(context, "blockStatic", declared.span);
      declareFunction(context, declared);
    } else if (specifiers.storage === "extern") {
      if (initializer !== undefined) report(context, "blockExternInitializer", declared.span);
      declareExternHere(context, declared);
    } else if (specifiers.storage === "static") {
      declareStaticLocal(context, declared, initializer, auto?.initializer);
    } else {
      result.push(
        ...declareLocal(context, declared, initializer, auto?.initializer, declaration.span),
      );
    }
  }
  return result;
}

/** Types of records and enums that were never completed are errors of their tentative definitions. */
export function finishTentative(context: Context): void {
  for (const symbol of context.tentative) {
    if (isError(symbol.type) || context.initialized.has(symbol)) continue;
    const array = asArray(symbol.type);
    if (array !== undefined && array.length === undefined && isComplete(array.element)) {
      report(context, "tentativeArray", symbol.span);
      symbol.type = { ...symbol.type, type: { ...array, length: 1 } };
    } else if (
      !isComplete(symbol.type) &&
      (asRecord(symbol.type) ?? asEnum(symbol.type)) !== undefined
    ) {
      const note = forwardNote(symbol.type);
      report(context, "incompleteTentative", symbol.span, [quoteType(symbol.type)], note);
    }
  }
}
