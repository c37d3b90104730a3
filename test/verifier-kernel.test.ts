/**
 * Programs that need the kernel's types (tracing, kernel functions, iterators, kptrs), judged by
 * Linux 6.18, and its detailed logs. The types are those that the cases use.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readBases, readLines, Score } from "../bench/verifier-score.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { readCase } from "../vm/verifier/cases.ts";
import { KernelTypes } from "../vm/verifier/kernel-types.ts";
import { verify } from "../vm/verifier/verify.ts";

const folder = new URL("./cases/verifier/", import.meta.url);
const btf = readBtf(gunzipSync(readFileSync(new URL("kernel.btf.gz", folder))), new Diagnostics());
if (btf === undefined) throw new Error("the kernel's types cannot be read");
const kernel = new KernelTypes(btf);
const lines = readLines(new URL("kernel.jsonl.gz", folder));
const step = process.env["FULL"] === undefined ? 3 : 1;

describe("programs with kernel types", () => {
  const score = new Score();
  lines.forEach((line, index) => {
    if (index % step !== 0) return;
    const item = readCase(line, { kernel });
    if (item === undefined) throw new Error(`line ${index + 1} is not a case`);
    score.judge(item);
  });
  const idsOf = (kind: string): string[] =>
    score.differences.filter((d) => d.kind === kind).map((d) => d.item.id);

  test.each(["false-accept", "false-reject", "unsupported", "text", "processed"])(
    "no %s",
    (kind) => {
      expect(score.get("accept→accept")).toBeGreaterThan(50);
      expect(score.get("reject→reject")).toBeGreaterThan(100);
      expect(idsOf(kind)).toEqual([]);
    },
  );
});

test("without the kernel's types nothing that needs them is accepted", () => {
  for (const line of lines.slice(0, 100)) {
    const item = readCase(line);
    const needsTypes = item !== undefined && (item.input.attachBtfId ?? 0) !== 0;
    if (needsTypes) expect(verify(item.input).verdict).not.toBe("accept");
  }
});

/** Addresses of maps differ from load to load; ours are names. */
function comparable(log: string): string[] {
  const masked = log.replace(/(\(18\) r\d+ = )(map\[[^\]]*\](?:\[0\])?(?:\+\d+)? ll) */g, "$1MAP ");
  const kept = masked.split("\n").map((line) => line.trimEnd());
  while (kept.at(-1) === "") kept.pop();
  return kept;
}

describe("detailed logs", () => {
  const bases = readBases(new URL("bases.jsonl.gz", folder));
  const logs = readLines(new URL("detailed-logs.jsonl.gz", folder)).map(
    (line) => JSON.parse(line) as { base: string; log: string },
  );

  test.each(logs)("$base", ({ base, log }) => {
    const item = readCase(JSON.stringify({ base }), { defaults: bases });
    if (item === undefined) throw new Error(`no base ${base}`);
    const ours = verify(item.input, { logLevel: 2 });
    const printed = comparable(ours.log).filter((line) => !/^(stack depth|processed) /.test(line));
    while (printed.at(-1) === "") printed.pop();
    expect(printed).toEqual(log.split("\n"));
  });
});

test("states at every instruction, as often as asked for", () => {
  const bases = readBases(new URL("bases.jsonl.gz", folder));
  const item = readCase(JSON.stringify({ base: "b07_loop_hist:loop_hist" }), { defaults: bases });
  if (item === undefined) throw new Error("no base");
  const { views, processed } = verify(item.input, { states: { limit: 3 } });
  const first = views?.get(0);
  expect(first).toEqual([
    {
      visit: 1,
      frames: [
        {
          function: expect.any(String),
          callsite: -1,
          registers: [
            { register: 1, text: "ctx()" },
            { register: 10, text: "fp0" },
          ],
          stack: [],
        },
      ],
      references: [],
    },
  ]);
  const counts = [...(views?.values() ?? [])].map((list) => list.length);
  expect(Math.max(...counts)).toBe(3);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThan(processed);
  const stores = [...(views?.values() ?? [])].flat().flatMap((view) => view.frames[0]?.stack ?? []);
  expect(stores.some(({ offset, text }) => offset === -8 && text !== "")).toBe(true);
});
