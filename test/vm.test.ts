/** The simulated kernel: programs, faults, maps, helpers; and the same programs in the real one. */
import { describe, expect, test } from "vitest";
import { errno } from "../vm/errno.ts";
import { formatText } from "../vm/helpers/format.ts";
import type { HelperCall } from "../vm/helpers/helper-call.ts";
import { Kernel, type LoadedSet } from "../vm/kernel/kernel.ts";
import type { BpfMap } from "../vm/maps/map.ts";
import type { PerfEventArrayMap } from "../vm/maps/perf-event-array.ts";
import type { RingBufferMap } from "../vm/maps/ring-buffer.ts";
import { type RunOptions, type RunResult, runProgram } from "../vm/programs/run.ts";
import { loadAssembly } from "./support/load-assembly.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

/** A legacy map definition: type, key size, value size, entries, flags. */
const mapText = (name: string, ...numbers: readonly number[]): string => `
	.section maps,"aw",@progbits
	.globl ${name}
	.type ${name},@object
	.size ${name}, 20
${name}:
	.long ${[...numbers, 0].slice(0, 5).join(", ")}
`;

const programText = (section: string, body: string): string => `
	.section "${section}","ax",@progbits
	.globl main
	.type main,@function
main:
${body}
	.section license,"aw",@progbits
	.asciz "GPL"
`;

function load(text: string, kernel = new Kernel()): { kernel: Kernel; set: LoadedSet } {
  const set = kernel.load(loadAssembly(text));
  if ("message" in set) throw new Error(set.message);
  return { kernel, set };
}

function run(
  text: string,
  options: RunOptions = {},
): RunResult & { kernel: Kernel; set: LoadedSet } {
  const { kernel, set } = load(text);
  const program = [...set.programs.values()][0];
  if (program === undefined) throw new Error("no program");
  return { ...runProgram(kernel, program, options), kernel, set };
}

describe("faults name the instruction, the address and the region", () => {
  const cases: readonly (readonly [name: string, body: string, expected: object])[] = [
    ["null", "r1 = 0\nr0 = *(u64 *)(r1 + 8)\nexit", { kind: "bad-address", slot: 1, address: 8n }],
    ["stack overflow", "*(u64 *)(r10 - 520) = 1\nexit", { kind: "stack-overflow", slot: 0 }],
    [
      "past the stack",
      "r1 = r10\nr1 += -4\nr0 = *(u64 *)(r1 + 0)\nexit",
      { kind: "bad-address", slot: 2, region: { kind: "stack" } },
    ],
    [
      "past the packet",
      "r2 = *(u32 *)(r1 + 4)\nr0 = *(u8 *)(r2 + 0)\nexit",
      { kind: "bad-address", slot: 1, region: { kind: "packet" } },
    ],
    [
      "one byte past the packet",
      "r2 = *(u32 *)(r1 + 4)\nr0 = *(u16 *)(r2 - 1)\nexit",
      { kind: "bad-address", slot: 1, region: { kind: "packet" } },
    ],
    ["wild", "r1 = -1\n*(u8 *)(r1 + 0) = 1\nexit", { kind: "bad-address", slot: 1 }],
    ["endless", "goto -1\nexit", { kind: "out-of-fuel", slot: 0 }],
    ["recursion", "call main\nexit", { kind: "stack-overflow" }],
    ["no helper", "call 9999\nexit", { kind: "bad-helper", slot: 0 }],
    ["bad map", "r1 = 5\nr2 = r10\nr2 += -8\ncall 1\nexit", { kind: "bad-argument", slot: 3 }],
    ["off the end", "r0 = 0", { kind: "bad-instruction" }],
  ];
  describe.each(["jit", "interpreter"] as const)("%s", (engine) => {
    test.each(cases)("%s", (_name, body, expected) => {
      const packet = new Uint8Array(20);
      const { error } = run(programText("xdp", body), { packet, fuel: 1000, engine });
      expect(error).toMatchObject(expected);
    });
  });

  test("a program that is too short for its context still runs", () => {
    expect(run(programText("xdp", "r0 = 2\nexit"), { packet: bytes("00".repeat(14)) }).retval).toBe(
      2,
    );
    const { error } = run(programText("xdp", "r0 = 2\nexit"), { packet: bytes("00") });
    expect(error?.message).toContain("at least 14 bytes");
  });
});

describe("maps", () => {
  const host = new Kernel({ cpuCount: 2 });
  const create = (
    type: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags = 0,
  ) => {
    const spec = { name: "m", type, keySize, valueSize, maxEntries, flags, extra: 0n };
    const map = host.createMap(spec);
    if (typeof map === "number") throw new Error(`errno ${-map}`);
    return map;
  };
  const word = (value: number): Uint8Array => host.word(value);
  const get = (map: BpfMap, key: Uint8Array): string | number => {
    const value = map.userLookup(key);
    return typeof value === "number" ? value : hex(value);
  };

  test("array: all elements exist and none can be deleted", () => {
    const map = create(2, 4, 4, 3);
    expect(map.entries().length).toBe(3);
    expect(host.mapUpdate(map, word(1), word(7))).toBe(0);
    expect(get(map, word(1))).toBe("07000000");
    expect(host.mapUpdate(map, word(3), word(7))).toBe(-errno.E2BIG);
    expect(host.mapUpdate(map, word(1), word(7), 1n)).toBe(-errno.EEXIST);
    expect(host.mapUpdate(map, word(1), word(7), 9n)).toBe(-errno.EINVAL);
    expect(host.mapDelete(map, word(1))).toBe(-errno.EINVAL);
    expect(get(map, word(9))).toBe(-errno.ENOENT);
  });

  test("hash: flags, capacity, deletion, iteration", () => {
    const map = create(1, 4, 4, 2);
    expect(host.mapUpdate(map, word(1), word(1), 2n)).toBe(-errno.ENOENT);
    expect(host.mapUpdate(map, word(1), word(1), 1n)).toBe(0);
    expect(host.mapUpdate(map, word(1), word(1), 1n)).toBe(-errno.EEXIST);
    expect(host.mapUpdate(map, word(2), word(2))).toBe(0);
    expect(host.mapUpdate(map, word(3), word(3))).toBe(-errno.E2BIG);
    expect(map.entries().map(([key]) => hex(key))).toEqual(["01000000", "02000000"]);
    expect(host.mapDelete(map, word(1))).toBe(0);
    expect(host.mapDelete(map, word(1))).toBe(-errno.ENOENT);
    expect(host.mapUpdate(map, word(3), word(3))).toBe(0);
    expect(get(map, word(3))).toBe("03000000");
  });

  test("LRU hash evicts what was used longest ago", () => {
    const map = create(9, 4, 4, 2);
    for (const key of [1, 2]) host.mapUpdate(map, word(key), word(key));
    get(map, word(1));
    host.mapUpdate(map, word(3), word(3));
    expect(
      map
        .entries()
        .map(([key]) => key[0])
        .sort(),
    ).toEqual([1, 3]);
  });

  test("per-CPU values are rounded to 8 bytes and stand side by side", () => {
    const map = create(6, 4, 4, 1);
    expect(map.userValueSize).toBe(16);
    host.mapUpdate(map, word(0), bytes("01000000000000000200000000000000"));
    host.cpu = 1;
    expect(host.memory.view.getUint32(map.lookup(word(0)), true)).toBe(2);
    host.cpu = 0;
    expect(get(map, word(0))).toBe("01000000000000000200000000000000");
  });

  test("longest prefix wins", () => {
    const map = create(11, 8, 1, 10, 1);
    const key = (prefix: number, address: string): Uint8Array =>
      bytes(`${prefix.toString(16).padStart(2, "0")}000000${address}`);
    host.mapUpdate(map, key(8, "0a000000"), bytes("01"));
    host.mapUpdate(map, key(24, "0a000100"), bytes("02"));
    expect(get(map, key(32, "0a000107"))).toBe("02");
    expect(get(map, key(32, "0a000207"))).toBe("01");
    expect(get(map, key(32, "0b000207"))).toBe(-errno.ENOENT);
    expect(host.mapDelete(map, key(24, "0a000100"))).toBe(0);
    expect(get(map, key(32, "0a000107"))).toBe("01");
    expect(host.mapUpdate(map, key(33, "0a000100"), bytes("02"))).toBe(-errno.EINVAL);
  });

  test("queue and stack", () => {
    const out = new Uint8Array(4);
    for (const [type, first] of [
      [22, 1],
      [23, 2],
    ] as const) {
      const map = create(type, 0, 4, 2);
      map.push(word(1), 0n);
      map.push(word(2), 0n);
      expect(map.push(word(3), 0n)).toBe(-errno.E2BIG);
      expect(map.peek(out)).toBe(0);
      expect(out[0]).toBe(first);
      map.pop(out);
      map.pop(out);
      expect(map.pop(out)).toBe(-errno.ENOENT);
    }
  });

  test("bloom filter knows what was put in", () => {
    const map = create(30, 0, 4, 100);
    map.push(word(5), 0n);
    expect(map.peek(word(5))).toBe(0);
    expect(map.peek(word(6))).toBe(-errno.ENOENT);
  });

  test("ring buffer records wrap around and run out", () => {
    const map = create(27, 0, 0, 4096) as RingBufferMap;
    for (let round = 0; round < 10; round += 1) {
      const record = map.reserve(1000);
      host.memory.bytes.fill(round, record, record + 1000);
      map.commit(record, round % 2 === 1);
      const taken = map.consume();
      expect(taken.map((r) => [r.length, r[999]])).toEqual(round % 2 === 1 ? [] : [[1000, round]]);
    }
    const records = [1, 2, 3, 4, 5].map(() => map.reserve(1000));
    expect(records.map((r) => r !== 0)).toEqual([true, true, true, true, false]);
  });

  test("wrong sizes are refused", () => {
    expect(() => create(2, 8, 4, 1)).toThrow("errno 22");
    expect(() => create(1, 4, 4, 0)).toThrow("errno 22");
    expect(() => create(27, 0, 0, 5000)).toThrow("errno 22");
    expect(() => create(11, 8, 4, 1)).toThrow("errno 22");
    expect(() => create(99, 4, 4, 1)).toThrow("errno 22");
  });

  test("pointers into hash values survive growth", () => {
    const map = create(1, 4, 8, 10_000);
    host.mapUpdate(map, word(0), bytes("0100000000000000"));
    const address = map.lookup(word(0));
    for (let i = 1; i < 10_000; i += 1) host.mapUpdate(map, word(i), bytes("0200000000000000"));
    expect(map.lookup(word(0))).toBe(address);
    expect(host.memory.view.getUint8(address)).toBe(1);
  });
});

describe("output", () => {
  test("ring buffer and trace lines", () => {
    const text = `${mapText("rb", 27, 0, 0, 4096)}${programText(
      "xdp",
      `r1 = 0x6f6c6c6568 ll
	*(u64 *)(r10 - 8) = r1
	r1 = rb ll
	r2 = r10
	r2 += -8
	r3 = 8
	r4 = 0
	call 130
	r1 = 0x00000a6425 ll
	*(u64 *)(r10 - 8) = r1
	r1 = r10
	r1 += -8
	r2 = 4
	r3 = -5
	call 6
	exit`,
    )}`;
    const { retval, trace, set, error } = run(text, { packet: new Uint8Array(14) });
    expect(error).toBeUndefined();
    expect(retval).toBe(3);
    expect(trace).toEqual(["-5"]);
    const records = (set.maps.get("rb") as RingBufferMap).consume();
    expect(records.map((r) => new TextDecoder().decode(r))).toEqual(["hello\0\0\0"]);
  });

  test("perf output needs an open event", () => {
    const text = `${mapText("events", 4, 4, 4, 0)}${programText(
      "xdp",
      `*(u64 *)(r10 - 8) = 7
	r2 = events ll
	r3 = 0xffffffff ll
	r4 = r10
	r4 += -8
	r5 = 8
	call 25
	exit`,
    )}`;
    const { kernel, set } = load(text);
    const program = [...set.programs.values()][0];
    if (program === undefined) throw new Error("no program");
    const packet = new Uint8Array(14);
    expect(runProgram(kernel, program, { packet }).retval).toBe(-errno.ENOENT);
    const map = set.maps.get("events") as PerfEventArrayMap;
    map.openAll();
    expect(runProgram(kernel, program, { packet }).retval).toBe(0);
    expect(map.consume()).toEqual([{ cpu: 0, data: bytes("0700000000000000") }]);
  });

  const formats: readonly (readonly [
    format: string,
    args: readonly bigint[],
    text: string | number,
  ])[] = [
    ["%d %i", [-1n, 5n], "-1 5"],
    ["%u %x %X", [-1n, 255n, 255n], "4294967295 ff FF"],
    ["%ld %lx", [-1n, -1n], "-1 ffffffffffffffff"],
    ["%5d|%-5d|%05d", [42n, 42n, -42n], "   42|42   |-0042"],
    ["%#x %c%%", [255n, 65n], "0xff A%"],
    ["%llu", [1n << 63n], "9223372036854775808"],
    ["%y", [1n], -errno.EINVAL],
    ["%d", [], -errno.EINVAL],
  ];
  test.each(formats)("format %s", (format, args, text) => {
    const call = {} as HelperCall;
    expect(formatText(new TextEncoder().encode(`${format}\0`), (i) => args[i], call)).toBe(text);
  });
});

test("a kernel's runs depend on nothing but its options", () => {
  const text = programText("xdp", "call 7\nr6 = r0\ncall 5\nr0 += r6\nexit");
  const once = run(text, { packet: new Uint8Array(14) });
  const again = run(text, { packet: new Uint8Array(14) });
  expect(again.r0).toBe(once.r0);
});

test("a machine with a larger stack is made at once", () => {
  const kernel = new Kernel({ stackSize: 1 << 16, time: 5n });
  expect(kernel.time).toBe(5n);
});
