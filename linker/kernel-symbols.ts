/** A kernel's symbol table, as /proc/kallsyms shows it: `address type name [module]` a line. */
import type { KernelSymbols } from "./kernel-references.ts";

/** Link-time optimisation gives local data such names; the program means the plain one. */
const lto = /\.llvm\..*$/;

/** Symbols of the text; lines of another form are passed over. */
export function parseKernelSymbols(text: string): KernelSymbols {
  const addresses = new Map<string, bigint | "ambiguous">();
  for (const match of text.matchAll(/^([0-9a-f]{1,16}) (\S) (\S+)/gm)) {
    const [, digits = "", kind = "", symbol = ""] = match;
    const name = kind === "d" ? symbol.replace(lto, "") : symbol;
    const address = BigInt(`0x${digits}`);
    const known = addresses.get(name);
    addresses.set(name, known === undefined || known === address ? address : "ambiguous");
  }
  return (name) => addresses.get(name);
}
