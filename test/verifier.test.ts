/**
 * Gates of the verifier against a real kernel's verdicts. A sample runs by default, all cases with
 * FULL=1; `npx tsx bench/verifier-corpus.ts` prints the figures.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBases, readLines, Score } from "../bench/verifier-score.ts";
import { readCase } from "../vm/verifier/cases.ts";
import { verify } from "../vm/verifier/verify.ts";
import { slot } from "./support/slot.ts";
import { randomNumbers } from "./support/verifier-random.ts";

const folder = new URL("./cases/verifier/", import.meta.url);
const bases = readBases(new URL("bases.jsonl.gz", folder));
const step = process.env["FULL"] === undefined ? 12 : 1;

function scoreOf(name: string): Score {
  const score = new Score();
  readLines(new URL(`${name}.jsonl.gz`, folder)).forEach((line, index) => {
    if (index % step !== 0) return;
    const item = readCase(line, { defaults: bases });
    if (item === undefined) throw new Error(`${name}:${index + 1} is not a case`);
    score.judge(item);
  });
  return score;
}

function names(score: Score, kind: string): string[] {
  return score.differences.filter((d) => d.kind === kind).map((d) => d.item.id);
}

describe.each(["mutants", "bounds", "random"])("%s", (name) => {
  const score = scoreOf(name);

  test("no false accept", () => {
    expect(names(score, "false-accept")).toEqual([]);
  });

  test("no false reject", () => {
    expect(names(score, "false-reject")).toEqual([]);
  });

  test("unsupported at most 1 %", () => {
    const judged = [...score.counts].filter(([kind]) => kind.includes("→"));
    const all = judged.reduce((sum, [, count]) => sum + count, 0);
    expect(all).toBeGreaterThan(100);
    expect(score.get("unsupported")).toBeLessThanOrEqual(all / 100);
  });

  test("the kernel's reason, text and numbers", () => {
    expect(names(score, "text")).toEqual([]);
  });

  test("as many instructions processed as the kernel", () => {
    expect(names(score, "processed")).toEqual([]);
  });

  test("register states to the letter", () => {
    expect(names(score, "r6")).toEqual([]);
  });
});

test("base programs are accepted", () => {
  for (const line of readLines(new URL("bases.jsonl.gz", folder))) {
    const item = readCase(line, { defaults: bases });
    if (item === undefined || item.base === "bounds") continue;
    expect([item.base, verify(item.input).verdict]).toEqual([item.base, "accept"]);
  }
});

test("cgroup programs have the helpers for their result by attach type", () => {
  // call bpf_get_retval; r0 = 0; exit
  const insns = Uint8Array.from(
    Buffer.from("85000000ba000000b7000000000000009500000000000000", "hex"),
  );
  const sysctl = { programType: 23, license: "GPL", flags: 0, insns, maps: [], functions: [] };
  const verdictFor = (attachType: number): string => verify({ ...sysctl, attachType }).verdict;
  expect([verdictFor(18), verdictFor(0), verdictFor(19)]).toEqual(["accept", "reject", "reject"]);
});

test("arbitrary bytes never crash and are not accepted without an exit", () => {
  const next = randomNumbers(1);
  for (let i = 0; i < 3000; i += 1) {
    const insns = new Uint8Array(8 * (1 + (next() % 12)));
    for (let at = 0; at < insns.length; at += 1) insns[at] = next() & 255;
    const { verdict } = verify({
      programType: 1 + (next() % 32),
      attachType: next() % 48,
      license: "GPL",
      flags: 0,
      insns,
      maps: [],
      functions: [],
    });
    const hasExit = insns.some((byte, at) => at % 8 === 0 && byte === 0x95);
    if (!hasExit) expect(verdict).not.toBe("accept");
  }
});

/** Programs that get to a socket of each kind, up to the read. */
const ways: Readonly<Record<string, readonly number[][]>> = {
  common: [slot(0x79, 0x11, 168, 0), slot(0x55, 0x01, 2, 0), ...leave(), slot(0xbf, 0x10, 0, 0)],
  sock: socketBy(95),
  tcp: socketBy(96),
};

function leave(): number[][] {
  return [slot(0xb7, 0, 0, 0), slot(0x95, 0, 0, 0)];
}

function socketBy(helper: number): number[][] {
  const get = [slot(0x79, 0x11, 168, 0), slot(0x55, 0x01, 2, 0), ...leave()];
  return [...get, slot(0x85, 0, 0, helper), slot(0x55, 0x00, 2, 0), ...leave()];
}

test("fields of sockets that may be read, in parts too, are the kernel's", () => {
  const expected = JSON.parse(readFileSync(new URL("socket-fields.json", folder), "utf8"));
  const loads = [0x71, 0x69, 0x61, 0x79];
  for (const [name, way] of Object.entries(ways)) {
    const allowed: string[] = [];
    for (let offset = -4; offset < (name === "tcp" ? 130 : 90); offset += 1) {
      loads.forEach((code, log) => {
        const slots = [...way, slot(code, 0x00, offset, 0), ...leave()];
        const input = {
          programType: 3,
          attachType: 0,
          license: "GPL",
          flags: 0,
          insns: new Uint8Array(slots.flat()),
          maps: [],
          functions: [],
        };
        if (verify(input).verdict === "accept") allowed.push(`${1 << log}@${offset}`);
      });
    }
    expect(allowed.join(" "), name).toBe(expected[name]);
  }
});

test("flags: unknown ones are refused, sleeping where nothing may sleep, alignment by either flag", () => {
  const program = {
    programType: 1,
    attachType: 0,
    license: "GPL",
    insns: new Uint8Array([slot(0x61, 0x10, 0, 0), ...leave()].flat()),
    maps: [],
    functions: [],
  };
  const verdictOf = (flags: number): string => {
    const { verdict, reason } = verify({ ...program, flags });
    return `${verdict} ${reason}`.trim();
  };
  for (const flag of [0, 1, 2, 3, 4, 8, 32, 64, 128]) expect(verdictOf(flag)).toBe("accept");
  expect(verdictOf(16)).toBe(
    "reject Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable",
  );
  expect(verdictOf(256)).toBe("reject");
});
