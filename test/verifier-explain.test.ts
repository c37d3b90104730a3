/** Explanations: every kind of rejection has a class, a cause and a cure, and points at its origin. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readBases, readLines } from "../bench/verifier-score.ts";
import { readCase } from "../vm/verifier/cases.ts";
import { explain } from "../vm/verifier/explain.ts";
import { rejectionClasses } from "../vm/verifier/rejection-classes.ts";
import { objectClasses } from "../vm/verifier/rejection-classes-objects.ts";
import { mainReason } from "../vm/verifier/verdict.ts";
import { verify } from "../vm/verifier/verify.ts";
import { slot } from "./support/slot.ts";

const folder = new URL("./cases/verifier/", import.meta.url);

function explainProgram(slots: readonly number[][]): ReturnType<typeof explain> {
  const map = { name: "m", type: 1, keySize: 4, valueSize: 8, maxEntries: 4, flags: 0, inner: -1 };
  const input = {
    programType: 6,
    attachType: 0,
    license: "GPL",
    flags: 0,
    insns: new Uint8Array(slots.flat()),
    maps: [{ ...map, btfKey: 0, btfValue: 0 }],
    functions: [],
  };
  return explain(input, verify(input));
}

test("a lookup that was not tested: the note is at the lookup, through copies and spills", () => {
  const explanation = explainProgram([
    slot(0x7a, 0x0a, -8, 0),
    slot(0xbf, 0xa2, 0, 0),
    slot(0x07, 0x02, 0, -8),
    slot(0x18, 0x11, 0, 0),
    slot(0, 0, 0, 0),
    slot(0x85, 0, 0, 1),
    slot(0xbf, 0x06, 0, 0),
    slot(0x7b, 0x6a, -16, 0),
    slot(0x79, 0xa7, -16, 0),
    slot(0x79, 0x70, 0, 0),
    slot(0x95, 0, 0, 0),
  ]);
  expect(explanation.code).toBe("verifier-maybe-null");
  expect(explanation.insn).toBe(9);
  const origin = explanation.notes.find((note) => note.insn !== undefined);
  expect(origin).toEqual({ message: "R7 is what bpf_map_lookup_elem returned here", insn: 5 });
});

test("a register that a call destroyed: the note is at the call", () => {
  const explanation = explainProgram([
    slot(0xb7, 0x01, 0, 1),
    slot(0x85, 0, 0, 5),
    slot(0xbf, 0x10, 0, 0),
    slot(0x95, 0, 0, 0),
  ]);
  expect(explanation.code).toBe("verifier-uninitialised-register");
  expect(explanation.notes[0]).toEqual({
    message: "the value of R1 was lost by this call",
    insn: 1,
  });
});

test("a packet pointer from before the packet moved: the note is at the helper", () => {
  const explanation = explainProgram([
    slot(0xbf, 0x16, 0, 0),
    slot(0x61, 0x17, 0, 0),
    slot(0xb7, 0x02, 0, 0),
    slot(0x85, 0, 0, 44),
    slot(0x71, 0x70, 0, 0),
    slot(0x95, 0, 0, 0),
  ]);
  expect(explanation.code).toBe("verifier-packet-moved");
  expect(explanation.notes.map((note) => note.insn)).toContain(3);
});

test("rejections of the corpus have a class", () => {
  const bases = readBases(new URL("bases.jsonl.gz", folder));
  let rejected = 0;
  const unclassified = new Set<string>();
  readLines(new URL("mutants.jsonl.gz", folder)).forEach((line, index) => {
    if (index % 10 !== 0) return;
    const item = readCase(line, { defaults: bases });
    if (item === undefined) return;
    const verdict = verify(item.input);
    if (verdict.verdict !== "reject") return;
    rejected += 1;
    const { code, help } = explain(item.input, verdict);
    expect(help).not.toBe("");
    if (code === "verifier-rejection") unclassified.add(verdict.reason);
  });
  expect(rejected).toBeGreaterThan(300);
  expect([...unclassified]).toEqual([]);
});

test("rejections of programs with objects have a class", () => {
  const programs = new URL("./cases/verifier-programs/", import.meta.url);
  const reasons = readdirSync(programs)
    .filter((name) => name.endsWith(".verdicts"))
    .flatMap((name) => readFileSync(new URL(name, programs), "utf8").split("\n"))
    .map((line) => /: reject, \d+ processed: (.*)/.exec(line)?.[1] ?? "")
    .filter((reason) => reason !== "" && !reason.includes("has btf_id"));
  const known = [...rejectionClasses, ...objectClasses];
  const unknown = reasons.filter((reason) => {
    const text = reason.replaceAll("#N", "#1");
    return !known.some(({ pattern }) => pattern.test(text));
  });
  expect(reasons.length).toBeGreaterThan(40);
  expect(unknown).toEqual([]);
});

test("a remark on the context is not taken for the reason", () => {
  const verdict = {
    ...verify({
      programType: 6,
      attachType: 0,
      license: "GPL",
      flags: 0,
      insns: new Uint8Array(slot(0x95, 0, 0, 0)),
      maps: [],
      functions: [],
    }),
  };
  const remark = "func 'f' arg0 has btf_id 7 type STRUCT 'sock'";
  const messages = [remark, ...verdict.messages];
  expect(mainReason({ ...verdict, reason: remark, messages })).toBe("R0 !read_ok");
});
