/** The atomic builtins: what each takes after the address and what it gives. */

/**
 * What an argument after the address is: `value` of the pointed-to type, `pointer` to it, a memory
 * `order`, a `flag`, or the integer that is added to or taken from a pointer's value.
 */
export type ArgumentKind = "value" | "pointer" | "order" | "flag";

export interface AtomicRow {
  readonly args: readonly ArgumentKind[];
  readonly returns: "value" | "bool" | "void";
  /** Further arguments are ignored, as in old lists of protected variables. */
  readonly more?: boolean;
}

const fetchRow: AtomicRow = { args: ["value", "order"], returns: "value" };
const syncRow: AtomicRow = { args: ["value"], returns: "value", more: true };

const operations = ["add", "sub", "and", "or", "xor", "nand"] as const;

const rows: ReadonlyMap<string, AtomicRow> = new Map([
  ...operations.flatMap((op): [string, AtomicRow][] => [
    [`__sync_fetch_and_${op}`, syncRow],
    [`__sync_${op}_and_fetch`, syncRow],
    [`__atomic_fetch_${op}`, fetchRow],
    [`__atomic_${op}_fetch`, fetchRow],
    [`__c11_atomic_fetch_${op}`, fetchRow],
  ]),
  ...["min", "max"].flatMap((op): [string, AtomicRow][] => [
    [`__atomic_fetch_${op}`, fetchRow],
    [`__atomic_${op}_fetch`, fetchRow],
    [`__c11_atomic_fetch_${op}`, fetchRow],
  ]),
  ["__sync_val_compare_and_swap", { args: ["value", "value"], returns: "value", more: true }],
  ["__sync_bool_compare_and_swap", { args: ["value", "value"], returns: "bool", more: true }],
  ["__sync_lock_test_and_set", syncRow],
  ["__sync_swap", syncRow],
  ["__sync_lock_release", { args: [], returns: "void", more: true }],
  ["__atomic_load_n", { args: ["order"], returns: "value" }],
  ["__atomic_load", { args: ["pointer", "order"], returns: "void" }],
  ["__atomic_store_n", { args: ["value", "order"], returns: "void" }],
  ["__atomic_store", { args: ["pointer", "order"], returns: "void" }],
  ["__atomic_exchange_n", { args: ["value", "order"], returns: "value" }],
  ["__atomic_exchange", { args: ["pointer", "pointer", "order"], returns: "void" }],
  [
    "__atomic_compare_exchange_n",
    { args: ["pointer", "value", "flag", "order", "order"], returns: "bool" },
  ],
  [
    "__atomic_compare_exchange",
    { args: ["pointer", "pointer", "flag", "order", "order"], returns: "bool" },
  ],
  ["__atomic_test_and_set", { args: ["order"], returns: "bool" }],
  ["__atomic_clear", { args: ["order"], returns: "void" }],
  ["__c11_atomic_init", { args: ["value"], returns: "void" }],
  ["__c11_atomic_load", { args: ["order"], returns: "value" }],
  ["__c11_atomic_store", { args: ["value", "order"], returns: "void" }],
  ["__c11_atomic_exchange", fetchRow],
  [
    "__c11_atomic_compare_exchange_strong",
    { args: ["pointer", "value", "order", "order"], returns: "bool" },
  ],
  [
    "__c11_atomic_compare_exchange_weak",
    { args: ["pointer", "value", "order", "order"], returns: "bool" },
  ],
]);

/** The name without a size such as `_4`. */
export function withoutSize(name: string): string {
  return name.startsWith("__sync_") ? name.replace(/_(1|2|4|8|16)$/, "") : name;
}

/** The row of an atomic builtin; undefined where the name is none. */
export function atomicRow(name: string): AtomicRow | undefined {
  return rows.get(withoutSize(name));
}
