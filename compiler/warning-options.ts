/**
 * Which warnings are on: clang's `-W` names, groups and `-Werror`. The last option that names a
 * warning decides.
 */
import type { Diagnostic } from "../common/diagnostics/diagnostic.ts";

export interface WarningOption {
  /** The name after `-W` or `-Wno-`. */
  readonly name: string;
  readonly state: "on" | "off" | "error" | "no-error";
}

/** Warnings that clang gives without any option. */
const onByDefault = new Set([
  "address-of-packed-member",
  "array-bounds",
  "asm-operand-widths",
  "attribute-warning",
  "attributes",
  "backend-plugin",
  "bitfield-constant-conversion",
  "builtin-macro-redefined",
  "builtin-requires-header",
  "c2x-extensions",
  "c23-extensions",
  "compare-distinct-pointer-types",
  "constant-conversion",
  "constant-logical-operand",
  "deprecated-declarations",
  "deprecated-non-prototype",
  "discarded-qualifiers",
  "division-by-zero",
  "duplicate-decl-specifier",
  "enum-conversion",
  "excess-initializers",
  "expansion-to-defined",
  "extra-tokens",
  "format",
  "gnu-folding-constant",
  "gnu-variable-sized-type-not-at-end",
  "ignored-attributes",
  "ignored-pragmas",
  "implicit-const-int-float-conversion",
  "implicit-function-declaration",
  "implicit-int",
  "incompatible-function-pointer-types",
  "incompatible-library-redeclaration",
  "incompatible-pointer-types",
  "incompatible-pointer-types-discards-qualifiers",
  "initializer-overrides",
  "int-conversion",
  "int-to-pointer-cast",
  "int-to-void-pointer-cast",
  "integer-overflow",
  "invalid-source-encoding",
  "literal-range",
  "logical-not-parentheses",
  "macro-redefined",
  "main-return-type",
  "microsoft-anon-tag",
  "missing-declarations",
  "multichar",
  "null-dereference",
  "parentheses-equality",
  "pass-failed",
  "pointer-bool-conversion",
  "pointer-integer-compare",
  "pointer-sign",
  "pointer-to-int-cast",
  "pragma-once-outside-header",
  "return-type",
  "shift-count-negative",
  "shift-count-overflow",
  "shift-negative-value",
  "shift-op-parentheses",
  "sizeof-pointer-memaccess",
  "static-in-inline",
  "switch",
  "tautological-compare",
  "tautological-constant-out-of-range-compare",
  "typedef-redefinition",
  "undefined-inline",
  "undefined-internal",
  "unknown-attributes",
  "unknown-pragmas",
  "unknown-warning-option",
  "unsupported-target-opt",
  "unused-value",
  "unused-comparison",
  "unused-result",
  "user-defined-warnings",
  "visibility",
  "void-pointer-to-int-cast",
  "void-pointer-to-enum-cast",
  "#warnings",
  "#pragma-messages",
]);

const groups: Readonly<Record<string, readonly string[]>> = {
  unused: [
    "unused-variable",
    "unused-but-set-variable",
    "unused-function",
    "unused-label",
    "unused-value",
    "unused-comparison",
    "unused-result",
    "unused-local-typedef",
    "unused-const-variable",
  ],
  all: [
    "unused-variable",
    "unused-but-set-variable",
    "unused-function",
    "unused-label",
    "unused-value",
    "unused-local-typedef",
    "uninitialized",
    "sometimes-uninitialized",
    "return-type",
    "missing-braces",
    "parentheses",
    "logical-op-parentheses",
    "bitwise-op-parentheses",
    "misleading-indentation",
    "self-assign",
    "switch",
    "sizeof-array-div",
    "infinite-recursion",
    "unknown-pragmas",
    "char-subscripts",
    "comment",
    "implicit-fallthrough-off",
  ],
  most: ["unused-variable", "unused-function", "uninitialized", "return-type", "parentheses"],
  extra: [
    "sign-compare",
    "unused-parameter",
    "missing-field-initializers",
    "initializer-overrides",
    "empty-init-stmt",
    "null-pointer-arithmetic",
    "unused-but-set-parameter",
  ],
  everything: [],
  pedantic: [],
  "ignored-qualifiers": [],
  gnu: ["gnu-folding-constant", "gnu-variable-sized-type-not-at-end"],
  "int-conversion": ["int-conversion"],
  conversion: ["sign-conversion", "implicit-int-conversion", "shorten-64-to-32"],
};

/** Known names that are off unless asked for, besides the groups' members. */
const otherKnown = new Set(
  (
    "error undef shadow implicit-fallthrough vla cast-align cast-qual conversion sign-conversion " +
    "declaration-after-statement strict-prototypes missing-prototypes missing-variable-declarations " +
    "old-style-definition pointer-arith redundant-decls nested-externs write-strings inline " +
    "unused-command-line-argument unused-macros documentation format-security format-nonliteral " +
    "format-extra-args format-zero-length frame-larger-than stack-protector strict-aliasing " +
    "strict-overflow double-promotion float-equal bad-function-cast switch-enum switch-default " +
    "covered-switch-default unreachable-code packed padded cast-function-type zero-length-array " +
    "flexible-array-extensions language-extension-token gnu-statement-expression " +
    "gnu-zero-variadic-macro-arguments gnu-empty-struct reserved-identifier reserved-macro-identifier " +
    "single-bit-bitfield-constant-conversion tautological-pointer-compare string-plus-int " +
    "overlength-strings empty-body maybe-uninitialized stringop-truncation address logical-op " +
    "duplicate-enum comma unused-parameter missing-noreturn date-time deprecated sign-compare"
  ).split(" "),
);

/** Whether `-W<name>` is one that clang has; others give -Wunknown-warning-option. */
export function isKnownWarning(name: string): boolean {
  return (
    onByDefault.has(name) ||
    otherKnown.has(name) ||
    name in groups ||
    Object.values(groups).some((members) => members.includes(name))
  );
}

function covers(option: WarningOption, code: string): boolean {
  if (option.name === code || option.name === "everything") return true;
  return (groups[option.name] ?? []).includes(code);
}

/** Applies the options to one diagnostic: undefined where it is off, an error where -Werror says so. */
export function filterDiagnostic(
  diagnostic: Diagnostic,
  options: readonly WarningOption[],
  suppressWarnings: boolean,
): Diagnostic | undefined {
  if (diagnostic.severity !== "warning") return diagnostic;
  const { code } = diagnostic;
  let enabled = onByDefault.has(code) || !isKnownWarning(code);
  let isError = false;
  for (const option of options) {
    if (option.name === "error") {
      isError = option.state === "on";
      continue;
    }
    if (!covers(option, code)) continue;
    enabled = option.state === "off" ? false : option.state === "no-error" ? enabled : true;
    if (option.state === "error") isError = true;
    if (option.state === "no-error") isError = false;
  }
  if (!enabled || suppressWarnings) return undefined;
  if (!isError) return diagnostic;
  return { ...diagnostic, severity: "error", message: `${diagnostic.message} [-Werror,-W${code}]` };
}
