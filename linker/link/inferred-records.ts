/**
 * Records for objects that have types and no .BTF.ext, as old versions of gcc write them. Loaders want
 * the records of a called function wherever its caller has some: which FUNC it is, and a line. The
 * types say the first; the line is number 0 of the file, without text.
 */
import type { BtfExt } from "../../common/object/btf.ts";
import { isCode, type ObjectView } from "../object-view.ts";

/** The object's own records; inferred ones where it has none and its types describe every function. */
export function recordsOf(view: ObjectView): BtfExt | undefined {
  const { btfExt, btfRead, object } = view;
  if (btfRead === undefined || (btfExt !== undefined && btfExt.funcInfo.length > 0)) return btfExt;
  const file = object.symbols.find(({ type }) => type === "file")?.name ?? "";
  const sections = object.sections.flatMap((section, index) => {
    if (!isCode(section)) return [];
    const functions = view
      .symbolsOf(index)
      .filter(({ type }) => type === "func")
      .map(({ name, value }) => ({ insnOffset: value, type: view.btfIdOf("func", name) }));
    return functions.length === 0 ? [] : [{ section: section.name, records: functions }];
  });
  const isComplete = sections.every(({ records }) => records.every(({ type }) => type !== 0));
  if (!isComplete || sections.length === 0) return btfExt;
  const lineInfo = sections.map(({ section, records }) => ({
    section,
    records: records.map(({ insnOffset }) => ({ insnOffset, file, text: "", line: 0, column: 0 })),
  }));
  const { endian } = object;
  return { coreRelocations: [], ...btfExt, endian, funcInfo: sections, lineInfo };
}
