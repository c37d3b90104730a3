/**
 * Source Map v3 (ECMA-426) between the texts of a program: C and assembly text, assembly text and
 * object. An object is one line whose columns are byte offsets in the file, as with WebAssembly.
 */
import { SourceMapGenerator } from "source-map";
import type { Span } from "../common/diagnostics/source.ts";
import { lineColumnAt } from "../common/diagnostics/source.ts";
import type { AsmItem, AsmLocation, AsmModule } from "./asm-module.ts";
import { canonicalModule } from "./canonical.ts";
import { layoutModule, sectionLayout } from "./layout.ts";
import { printAssembly } from "./print.ts";

export interface SourceMapOptions {
  /** Name of the generated file. */
  readonly file: string;
  /** A source's path as the map shall name it: relative to the map. */
  readonly sourcePath: (path: string) => string;
  /** The text of a source, where the map shall hold it (`sourcesContent`). */
  readonly contentOf?: (path: string) => string | undefined;
}

/** Puts the sources' texts into the map, so that it serves where the files are not. */
function addContents(
  generator: SourceMapGenerator,
  paths: ReadonlySet<string>,
  { sourcePath, contentOf }: SourceMapOptions,
): void {
  for (const path of paths) {
    const content = contentOf?.(path);
    if (content !== undefined) generator.setSourceContent(sourcePath(path), content);
  }
}

/** Assembly text and its map to C: one mapping per instruction with a source line. */
export function printWithSourceMap(
  module: AsmModule,
  options: SourceMapOptions,
): { readonly text: string; readonly map: string } {
  const generator = new SourceMapGenerator({ file: options.file });
  const sources = new Set<string>();
  const text = printAssembly(module, (line, location) => {
    sources.add(location.file);
    generator.addMapping({
      // Instructions stand behind one tab.
      generated: { line, column: 1 },
      source: options.sourcePath(location.file),
      original: originalPlace(location),
    });
  });
  addContents(generator, sources, options);
  return { text, map: `${generator.toString()}\n` };
}

/** BTF counts columns from 1 and has 0 where it knows none. */
function originalPlace({ line, column }: AsmLocation): { line: number; column: number } {
  return { line: Math.max(1, line), column: Math.max(0, column - 1) };
}

export interface AssembledText {
  readonly module: AsmModule;
  readonly spanOf: (item: AsmItem) => Span | undefined;
  /** Offset in the object's file of each section, in the order of the object's sections. */
  readonly sectionOffsets: readonly number[];
}

/** The map from an object's bytes to the assembly text: one mapping per instruction. */
export function objectSourceMap(
  { module, spanOf, sectionOffsets }: AssembledText,
  options: SourceMapOptions,
): string {
  const generator = new SourceMapGenerator({ file: options.file });
  const sources = new Set<string>();
  const spans = new Map<unknown, Span>();
  for (const item of module.sections.flatMap((section) => section.items)) {
    const span = item.kind === "instruction" ? spanOf(item) : undefined;
    // Canonical form makes new items around the same instructions.
    if (item.kind === "instruction" && span !== undefined) spans.set(item.insn, span);
  }
  const canonical = canonicalModule(module);
  const layout = layoutModule(canonical);
  canonical.sections.forEach((section, index) => {
    const { offsets } = sectionLayout(layout, index);
    section.items.forEach((item, position) => {
      const span = item.kind === "instruction" ? spans.get(item.insn) : undefined;
      if (span === undefined) return;
      const { line, column } = lineColumnAt(span.file, span.start);
      sources.add(span.file.path);
      generator.addMapping({
        generated: { line: 1, column: (sectionOffsets[index] ?? 0) + (offsets[position] ?? 0) },
        source: options.sourcePath(span.file.path),
        original: { line, column: column - 1 },
      });
    });
  });
  addContents(generator, sources, options);
  return `${generator.toString()}\n`;
}
