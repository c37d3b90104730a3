import type {
  EnumSpecifier,
  ExternalDeclaration,
  RecordSpecifier,
  TypeSpecifier,
  UnitDeclaration,
} from "../2-parse/ast.ts";
import { atFileScope, type Context, type Entity, type Scope } from "./context.ts";
import { tagPlace } from "./expression-place.ts";
import { LazyEnum, LazyRecord } from "./lazy-types.ts";
import { rememberPlace } from "./print-type.ts";
import { intType } from "./type-tools.ts";
import type { EnumType, RecordType } from "./types.ts";

/** Every record specifier in a declaration that is at file scope, outermost first. */
function* recordSpecifiers(type: TypeSpecifier): Generator<RecordSpecifier | EnumSpecifier> {
  if (type.kind === "enum") yield type;
  if (type.kind === "typeof" && type.operand.kind === "type_name") {
    yield* recordSpecifiers(type.operand.specifiers.type);
  }
  if (type.kind !== "record") return;
  yield type;
  for (const member of type.members ?? []) {
    if (member.kind === "members") yield* recordSpecifiers(member.specifiers.type);
  }
}

function* specifiersOf(
  declaration: ExternalDeclaration,
): Generator<RecordSpecifier | EnumSpecifier> {
  if (declaration.kind === "declaration" || declaration.kind === "function_definition") {
    yield* recordSpecifiers(declaration.specifiers.type);
  }
}

/** Checks a header declaration unless that was done before. */
function enterHeaderDeclaration(context: Context, found: UnitDeclaration): void {
  if (context.entered.has(found.declaration)) return;
  context.entered.add(found.declaration);
  atFileScope(context, found.ordinal, () => {
    context.recurse.externalDeclaration(context, found.declaration);
  });
}

/** Enumerators inside records are entered only when the record is defined. */
function forceNestedEnums(context: Context, declaration: ExternalDeclaration): void {
  for (const specifier of specifiersOf(declaration)) {
    const type = context.specified.get(specifier);
    if (type?.definition === undefined) continue;
  }
}

/** Brings in an enumerator alone where that is enough; false where its declarations have to be read. */
function enterPlainEnumerator(context: Context, name: string): boolean {
  const { ordinary } = context.fileScope;
  const known = ordinary.get(name);
  if (known !== undefined) return known.kind === "enumerator" && known.isAlone === true;
  if (context.indexed.has(name)) return false;
  const found = context.unit.index.enumerator(name);
  if (found === undefined || found.ordinal > context.ordinal) return false;
  const { value, span } = found;
  ordinary.set(name, { kind: "enumerator", name, value, type: intType, span, isAlone: true });
  return true;
}

/** Brings a name's header declarations into file scope, those before the present place. */
function enterFromIndex(context: Context, name: string): void {
  if (enterPlainEnumerator(context, name)) return;
  const declarations = context.unit.index.ordinary(name);
  let done = context.indexed.get(name) ?? 0;
  for (; done < declarations.length; done += 1) {
    const found = declarations[done];
    if (found === undefined || found.ordinal > context.ordinal) break;
    context.indexed.set(name, done + 1);
    enterHeaderDeclaration(context, found);
    if (!context.fileScope.ordinary.has(name)) forceNestedEnums(context, found.declaration);
  }
}

/**
 * Brings in all header declarations of a name that something needs: its definition may stand behind
 * the last place that mentions it. To be called when the whole unit is behind.
 */
export function enterDefinitions(context: Context, name: string): void {
  enterFromIndex(context, name);
}

/** The entity that a name means here; undefined where it is not declared. */
export function lookUp(context: Context, name: string): Entity | undefined {
  for (let scope: Scope | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    if (scope.kind === "file") enterFromIndex(context, name);
    const found = scope.ordinary.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The entity of that name in this very scope (for redeclarations). */
export function lookUpHere(context: Context, name: string): Entity | undefined {
  if (context.scope.kind === "file") enterFromIndex(context, name);
  return context.scope.ordinary.get(name);
}

export function declare(context: Context, name: string, entity: Entity): void {
  context.scope.ordinary.set(name, entity);
}

function definingDeclaration(
  context: Context,
  tag: string,
): { specifier: RecordSpecifier | EnumSpecifier; ordinal: number; complete: boolean } | undefined {
  let first: { specifier: RecordSpecifier | EnumSpecifier; ordinal: number } | undefined;
  for (const { ordinal, declaration } of context.unit.index.tag(tag)) {
    for (const specifier of specifiersOf(declaration)) {
      if (specifier.tag !== tag) continue;
      const isDefinition =
        specifier.kind === "record"
          ? specifier.members !== undefined
          : specifier.enumerators !== undefined;
      if (isDefinition) return { specifier, ordinal, complete: true };
      first ??= { specifier, ordinal };
    }
  }
  return first && { ...first, complete: false };
}

/** A record type that is laid out when someone asks for its definition. */
export function lazyRecord(
  context: Context,
  specifier: RecordSpecifier,
  definition: RecordSpecifier | undefined,
  ordinal: number,
): RecordType {
  context.ids.record += 1;
  const type: LazyRecord = new LazyRecord(
    specifier.union ? "union" : "struct",
    specifier.tag,
    context.ids.record,
    definition &&
      (() => {
        atFileScope(context, ordinal, () =>
          context.recurse.defineRecord(context, type, definition),
        );
      }),
  );
  rememberPlace(type, tagPlace(specifier.span, specifier.tag));
  context.specified.set(specifier, type);
  if (definition !== undefined) context.specified.set(definition, type);
  return type;
}

/** An enum type that is defined when someone asks for its definition. */
export function lazyEnum(
  context: Context,
  specifier: EnumSpecifier,
  definition: EnumSpecifier | undefined,
  ordinal: number,
): EnumType {
  context.ids.record += 1;
  const type: LazyEnum = new LazyEnum(
    specifier.tag,
    context.ids.record,
    definition &&
      (() => {
        atFileScope(context, ordinal, () => context.recurse.defineEnum(context, type, definition));
      }),
  );
  rememberPlace(type, tagPlace(specifier.span, specifier.tag));
  context.specified.set(specifier, type);
  if (definition !== undefined) context.specified.set(definition, type);
  return type;
}

/**
 * A header's record of which nothing but its kind is known until someone asks: most records of a
 * vmlinux.h that a program comes by are only pointed to, and parsing them was a third of its time.
 */
function unboundRecord(context: Context, tag: string, kind: "struct" | "union"): RecordType {
  context.ids.record += 1;
  let define: (() => void) | undefined;
  const type: LazyRecord = new LazyRecord(kind, tag, context.ids.record, () => {
    bindTag(context, tag);
    define?.();
  });
  context.unbound.set(tag, () => {
    const found = definingDeclaration(context, tag);
    if (found?.specifier.kind !== "record") return;
    const { specifier, ordinal, complete } = found;
    rememberPlace(type, tagPlace(specifier.span, tag));
    context.specified.set(specifier, type);
    if (!complete) return;
    define = () =>
      atFileScope(context, ordinal, () => context.recurse.defineRecord(context, type, specifier));
  });
  context.fileScope.tags.set(tag, type);
  return type;
}

/** Finds the declaration of a header's record, so that its place and its specifiers are known. */
export function bindTag(context: Context, tag: string): void {
  const bind = context.unbound.get(tag);
  context.unbound.delete(tag);
  bind?.();
}

function tagFromIndex(context: Context, tag: string): RecordType | EnumType | undefined {
  const kind = context.unit.index.recordTag(tag);
  if (kind !== undefined) return unboundRecord(context, tag, kind);
  const found = definingDeclaration(context, tag);
  if (found === undefined) return undefined;
  const { specifier, ordinal, complete } = found;
  const known = context.specified.get(specifier);
  const type =
    known ??
    (specifier.kind === "record"
      ? lazyRecord(context, specifier, complete ? specifier : undefined, ordinal)
      : lazyEnum(context, specifier, complete ? specifier : undefined, ordinal));
  context.fileScope.tags.set(tag, type);
  return type;
}

/** The struct, union or enum that a tag means here. */
export function lookUpTag(context: Context, tag: string): RecordType | EnumType | undefined {
  for (let scope: Scope | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    const found = scope.tags.get(tag);
    if (found !== undefined) return found;
  }
  return tagFromIndex(context, tag);
}

export function lookUpTagHere(context: Context, tag: string): RecordType | EnumType | undefined {
  const found = context.scope.tags.get(tag);
  if (found !== undefined || context.scope.kind !== "file") return found;
  return tagFromIndex(context, tag);
}

/** Checks all of a header's declarations that have an effect though no name reaches them. */
export function enterUnconditional(context: Context, found: UnitDeclaration): void {
  enterHeaderDeclaration(context, found);
}

function distance(left: string, right: string, limit: number): number {
  let row = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const change = left[i - 1] === right[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return row[right.length] ?? limit + 1;
}

/** The candidate nearest to a misspelt name; undefined where none is within a third of its length. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor((name.length + 2) / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const found = distance(name, candidate, bestDistance);
    // As clang: a third of the name may differ, rounded in favour of silence.
    if (found < bestDistance && found > 0 && Math.floor(name.length / found) >= 3) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

const nameCharacters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"];

/** All names that differ from one by a single character lost, gained, changed or swapped. */
function* neighbours(name: string): Generator<string> {
  for (let i = 0; i <= name.length; i += 1) {
    const head = name.slice(0, i);
    const tail = name.slice(i);
    const [first = "", second = ""] = tail;
    if (tail !== "") yield head + tail.slice(1);
    if (second !== "") yield head + second + first + tail.slice(2);
    for (const character of nameCharacters) {
      yield head + character + tail;
      if (tail !== "") yield head + character + tail.slice(1);
    }
  }
}

/**
 * The declared name nearest to one that is not. Header names that nothing has reached yet are found
 * one edit away: the index answers for a name but does not list them all.
 */
export function nearestDeclared(context: Context, name: string): Entity | undefined {
  const visible = nearestName(name, visibleNames(context));
  if (visible !== undefined) return lookUp(context, visible);
  if (name.length < 3) return undefined;
  for (const candidate of neighbours(name)) {
    if (context.unit.index.ordinary(candidate).length === 0) continue;
    const found = lookUp(context, candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names that are visible here, without those that only the index knows. */
export function* visibleNames(context: Context): Generator<string> {
  for (let scope: Scope | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    yield* scope.ordinary.keys();
  }
}
