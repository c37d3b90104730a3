/** Random expressions without undefined behaviour: shifts are masked, divisors are not zero. */
import type { Elements, Place, ScalarType, Scope, Source } from "./scope.ts";

const binary = ["+", "-", "*", "&", "|", "^", "+", "&"] as const;
const comparisons = ["<", "<=", ">", ">=", "==", "!=", "==", ">"] as const;

function literal(source: Source): string {
  const value = source.pick([
    () => source.below(16),
    () => source.below(256),
    () => 1 << source.below(16),
    () => source.below(65536),
    () => source.below(0x7fffffff),
  ])();
  return source.chance(15) ? `0x${value.toString(16)}${"d41c".repeat(2)}ULL` : `${value}`;
}

export function element(source: Source, scope: Scope, { text, length }: Elements): string {
  return `${text}[${expression(source, scope, 1)} & ${length - 1}]`;
}

function leaf(source: Source, scope: Scope): string {
  if (scope.places.length === 0 || source.chance(20)) return literal(source);
  if (scope.arrays.length > 0 && source.chance(12))
    return element(source, scope, source.pick(scope.arrays));
  // What was made last is what programs use.
  const recent = scope.places.slice(-6);
  return source.pick(source.chance(60) ? recent : scope.places).text;
}

/** An integer of any type. */
export function expression(source: Source, scope: Scope, depth = 2): string {
  if (depth === 0 || source.chance(30)) return leaf(source, scope);
  const inner = (): string => expression(source, scope, depth - 1);
  const kind = source.below(20);
  if (kind < 10) return `(${inner()} ${source.pick(binary)} ${inner()})`;
  if (kind < 12) return `((__u64)${inner()} << (${inner()} & 31))`;
  if (kind < 14) return `((__u32)${inner()} >> ${source.below(31)})`;
  if (kind === 14)
    return `((__u32)${inner()} / (${source.chance(60) ? 1 + source.below(100) : `((__u32)${inner()} | 1)`}))`;
  if (kind === 15) return `((__u32)${inner()} % ${1 + source.below(64)})`;
  if (kind === 16) return `(${condition(source, scope, depth - 1)} ? ${inner()} : ${inner()})`;
  if (kind === 17)
    return `((${source.pick(["__u8", "__u16", "__s8", "__s16", "__u32", "__s32"])})${inner()})`;
  if (kind === 18)
    return source.pick([`bpf_ntohs((__u16)${inner()})`, `bpf_htonl((__u32)${inner()})`]);
  return `~${inner()}`;
}

export function condition(source: Source, scope: Scope, depth = 1): string {
  const kind = source.below(12);
  const one = (): string => expression(source, scope, depth);
  if (kind < 7) {
    const right = source.chance(60) ? literal(source) : one();
    const cast = source.pick(["", "", "(__u32)", "(__s32)", "(__u8)"]);
    return `(${cast}${one()} ${source.pick(comparisons)} ${right})`;
  }
  if (kind < 9) return `(${one()} & ${source.pick([1, 3, 7, 0x80, 0xf0])})`;
  if (depth === 0) return `(${one()} != 0)`;
  const inner = (): string => condition(source, scope, depth - 1);
  return kind < 11 ? `(${inner()} ${source.pick(["&&", "||"])} ${inner()})` : `!${inner()}`;
}

export function writablePlaces(scope: Scope): readonly Place[] {
  return scope.places.filter(({ writable }) => writable);
}

/** Bits that a value of the type has. */
export const widthOf: Readonly<Record<ScalarType, number>> = {
  __u8: 8,
  __u16: 16,
  __u32: 32,
  __u64: 64,
  __s32: 32,
  __s64: 64,
  int: 32,
};
