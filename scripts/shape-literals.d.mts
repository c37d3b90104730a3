import type { Plugin } from "esbuild";

/** A module's text that tells `globalThis.noteUse` the names of every literal that it makes. */
export function countedLiterals(text: string): string;

/** A TypeScript module's text with constructors in place of literals of these shapes (`a,b`). */
export function shapedLiterals(text: string, shapes: ReadonlySet<string>): string;

/** Gives the constructors that such modules import. */
export const objectShapes: Plugin;
