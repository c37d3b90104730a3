/** bpf(2) of the simulated kernel beside the running kernel's: the same calls, the same answers. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bpfCommands, uapiStruct } from "../common/platform/uapi.ts";
import type { AttrField, BpfAttr } from "../vm/system/attr.ts";
import { SimulatedKernel } from "../vm/system/simulated-kernel.ts";
import { kernelTest, mountPinFolder, pinFolder } from "./support/kernel.ts";

/** A call; `{ fd: n }` is the descriptor that call n of the sequence gave. */
type Value = number | bigint | string | Uint8Array | { readonly fd: number };
type Call =
  | { readonly cmd: string; readonly attr: Partial<Record<AttrField, Value>> }
  | { readonly close: number }
  | { readonly unlink: string };

/** Members of the nested groups of union bpf_attr: offset and size. */
const nested: Readonly<Record<string, readonly [offset: number, size: number]>> = {
  in_batch: [0, 8],
  out_batch: [8, 8],
  keys: [16, 8],
  values: [24, 8],
  batch_count: [32, 4],
  "batch.map_fd": [36, 4],
  elem_flags: [40, 8],
  "batch.flags": [48, 8],
  prog_fd: [0, 4],
  "test.data_size_in": [8, 4],
  "test.data_size_out": [12, 4],
  data_in: [16, 8],
  data_out: [24, 8],
  repeat: [32, 4],
  "bind.map_fd": [4, 4],
  "bind.flags": [8, 4],
};

function placeOf(cmd: string, field: string): readonly [number, number] {
  if (cmd === "OBJ_GET_INFO_BY_FD") return [0, 4];
  const group = cmd.includes("BATCH") ? "batch." : cmd === "PROG_BIND_MAP" ? "bind." : "";
  const place = nested[group + field] ?? nested[field];
  if (place !== undefined) return place;
  const found = uapiStruct("bpf_attr")?.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`no field ${field}`);
  return [found.offset, found.size];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function encodeValue(field: string, value: Value): object | number {
  if (value instanceof Uint8Array) return { buf: hex(value), ...(field === "insns" && { map: 0 }) };
  if (typeof value === "string") {
    const inline = field === "map_name" || field === "prog_name";
    return { text: value, ...(inline && { inline }) };
  }
  return typeof value === "bigint" ? Number(value) : (value as number | object);
}

function encode(call: Call): object {
  if (!("cmd" in call)) return call;
  const id = bpfCommands().find(([, name]) => name === `BPF_${call.cmd}`)?.[0] ?? 9999;
  const fields = Object.entries(call.attr).map(([field, value]) => [
    ...placeOf(call.cmd, field),
    encodeValue(field, value as Value),
  ]);
  const { data_in: input, data_out: output } = call.attr;
  if (input instanceof Uint8Array)
    fields.push([...placeOf(call.cmd, "test.data_size_in"), input.length]);
  if (output instanceof Uint8Array)
    fields.push([...placeOf(call.cmd, "test.data_size_out"), output.length]);
  const insns = call.attr.insns;
  if (insns instanceof Uint8Array && call.attr.insn_cnt === undefined)
    fields.push([...placeOf(call.cmd, "insn_cnt"), insns.length / 8]);
  return { cmd: id, fields };
}

interface Answer {
  readonly ret: number;
  readonly bufs: readonly string[];
}

/** Instructions carry the descriptor of the sequence's first call. */
function withMap(insns: Uint8Array, descriptor: number): Uint8Array {
  const bytes = insns.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) {
    const isReference = bytes[at] === 0x18 && (bytes[at + 1] as number) >> 4 === 1;
    if (isReference) view.setInt32(at + 4, descriptor, true);
  }
  return bytes;
}

function simulate(sequence: readonly Call[]): Answer[] {
  const kernel = new SimulatedKernel();
  const results: number[] = [];
  return sequence.map((call) => {
    if ("close" in call) {
      kernel.close(results[call.close] as number);
      results.push(-1);
      return { ret: 0, bufs: [] };
    }
    if ("unlink" in call) {
      kernel.unlink(call.unlink);
      results.push(-1);
      return { ret: 0, bufs: [] };
    }
    const buffers: Uint8Array[] = [];
    const attr = Object.fromEntries(
      Object.entries(call.attr).map(([field, value]) => {
        if (value instanceof Uint8Array) {
          const copy = field === "insns" ? withMap(value, results[0] ?? 0) : value.slice();
          buffers.push(copy);
          return [field, copy];
        }
        const isHandle = typeof value === "object" && value !== null && "fd" in value;
        return [field, isHandle ? results[value.fd] : value];
      }),
    ) as BpfAttr;
    const result = kernel.bpf(call.cmd, attr);
    results.push(result);
    const isLoad = call.cmd === "PROG_LOAD";
    return { ret: Math.min(result, 0), bufs: isLoad ? [] : buffers.map(hex) };
  });
}

function askSyscalls(sequences: readonly (readonly Call[])[]): Answer[][] {
  mountPinFolder();
  const script = join(import.meta.dirname, "support/kernel-syscalls.py");
  const input = JSON.stringify(sequences.map((sequence) => sequence.map(encode)));
  const { stdout, stderr } = spawnSync("python3", [script], { input, encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

const hash = { map_type: 1, key_size: 4, value_size: 4, max_entries: 4 };
const array = { map_type: 2, key_size: 4, value_size: 4, max_entries: 4 };
const create = (attr: BpfAttr): Call => ({ cmd: "MAP_CREATE", attr: attr as never });
const map = { map_fd: { fd: 0 } };
const returnZero = bytes("b7000000000000009500000000000000");
const returnTwo = bytes("b7000000020000009500000000000000");
const load = (attr: Partial<Record<AttrField, Value>> = {}): Call => ({
  cmd: "PROG_LOAD",
  attr: { prog_type: 6, insns: returnTwo, license: "GPL", ...attr },
});
const update = (key: number, value: number, extra: object = {}): Call => ({
  cmd: "MAP_UPDATE_ELEM",
  attr: { ...map, key: u32(key), value: u32(value), ...extra },
});
const lookup = (key: number, extra: object = {}): Call => ({
  cmd: "MAP_LOOKUP_ELEM",
  attr: { ...map, key: u32(key), value: u32(0), ...extra },
});
const packet = new Uint8Array(64).fill(1);
const pinPath = `${pinFolder}/bpfc_test_${process.pid}`;

const sequences: Readonly<Record<string, readonly Call[]>> = {
  "elements of a hash map": [
    create(hash),
    lookup(1),
    update(1, 10),
    lookup(1),
    update(1, 11, { flags: 1n }),
    update(2, 11, { flags: 2n }),
    update(2, 12, { flags: 9n }),
    lookup(1, { flags: 1n }),
    lookup(1, { flags: 4n }),
    { cmd: "MAP_LOOKUP_AND_DELETE_ELEM", attr: { ...map, key: u32(1), value: u32(0) } },
    { cmd: "MAP_DELETE_ELEM", attr: { ...map, key: u32(1) } },
    { cmd: "MAP_GET_NEXT_KEY", attr: { ...map, next_key: u32(0) } },
    { cmd: "MAP_LOOKUP_ELEM", attr: { ...map, value: u32(0) } },
    { cmd: "MAP_LOOKUP_ELEM", attr: { ...map, key: u32(1), value: u32(0), btf_fd: 7 } },
  ],
  "an array": [
    create(array),
    update(4, 1),
    update(3, 1),
    update(3, 1, { flags: 1n }),
    lookup(3),
    lookup(4),
    { cmd: "MAP_DELETE_ELEM", attr: { ...map, key: u32(3) } },
    { cmd: "MAP_GET_NEXT_KEY", attr: { ...map, key: u32(2), next_key: u32(0) } },
    { cmd: "MAP_GET_NEXT_KEY", attr: { ...map, key: u32(3), next_key: u32(0) } },
    { cmd: "MAP_LOOKUP_AND_DELETE_ELEM", attr: { ...map, key: u32(1), value: u32(0) } },
  ],
  "what cannot be created": [
    create({ ...hash, map_type: 99 }),
    create({ ...hash, key_size: 0 }),
    create({ ...hash, max_entries: 0 }),
    create({ ...hash, map_name: "a-b" }),
    create({ ...hash, map_name: "fine_name.1" }),
    create({ ...hash, map_flags: 0x18 }),
    create({ ...hash, map_flags: 1 << 30 }),
    create({ ...array, map_type: 12 }),
    create({ ...array, map_type: 27, key_size: 0, value_size: 0, max_entries: 100 }),
  ],
  "rights of descriptors": [
    create({ ...hash, map_flags: 1 << 3 }),
    update(1, 1),
    lookup(1),
    { cmd: "MAP_DELETE_ELEM", attr: { ...map, key: u32(1) } },
    { cmd: "MAP_FREEZE", attr: { ...map } },
  ],
  "descriptors that may only write": [
    create({ ...hash, map_flags: 1 << 4 }),
    update(1, 1),
    lookup(1),
    { cmd: "MAP_GET_NEXT_KEY", attr: { ...map, next_key: u32(0) } },
    { cmd: "MAP_LOOKUP_AND_DELETE_ELEM", attr: { ...map, key: u32(1), value: u32(0) } },
  ],
  "frozen maps": [
    create(array),
    { cmd: "MAP_FREEZE", attr: { ...map } },
    { cmd: "MAP_FREEZE", attr: { ...map } },
    update(1, 1),
    lookup(1),
    { cmd: "MAP_DELETE_ELEM", attr: { ...map, key: u32(1) } },
  ],
  "wrong descriptors": [
    create(hash),
    load(),
    { cmd: "MAP_LOOKUP_ELEM", attr: { map_fd: { fd: 1 }, key: u32(1), value: u32(0) } },
    { cmd: "MAP_LOOKUP_ELEM", attr: { map_fd: 999, key: u32(1), value: u32(0) } },
    { cmd: "PROG_TEST_RUN", attr: { prog_fd: { fd: 0 }, data_in: packet } },
    { cmd: "PROG_TEST_RUN", attr: { prog_fd: 999, data_in: packet } },
    { cmd: "OBJ_GET_INFO_BY_FD", attr: { bpf_fd: 999 } },
    { cmd: "MAP_FREEZE", attr: { map_fd: { fd: 1 } } },
    { close: 0 },
    { cmd: "MAP_LOOKUP_ELEM", attr: { map_fd: 998, key: u32(1), value: u32(0) } },
  ],
  batches: [
    create(array),
    {
      cmd: "MAP_UPDATE_BATCH",
      attr: {
        ...map,
        keys: bytes("0000000001000000"),
        values: bytes("0500000006000000"),
        batch_count: 2,
      },
    },
    {
      cmd: "MAP_LOOKUP_BATCH",
      attr: {
        ...map,
        out_batch: u32(0),
        keys: new Uint8Array(12),
        values: new Uint8Array(12),
        batch_count: 3,
      },
    },
    {
      cmd: "MAP_LOOKUP_BATCH",
      attr: {
        ...map,
        in_batch: u32(2),
        out_batch: u32(0),
        keys: new Uint8Array(12),
        values: new Uint8Array(12),
        batch_count: 3,
      },
    },
    { cmd: "MAP_DELETE_BATCH", attr: { ...map, keys: u32(0), batch_count: 1 } },
    { cmd: "MAP_UPDATE_BATCH", attr: { ...map, keys: u32(9), values: u32(0), batch_count: 1 } },
    {
      cmd: "MAP_UPDATE_BATCH",
      attr: { ...map, keys: u32(1), values: u32(0), batch_count: 1, elem_flags: 8n },
    },
    { cmd: "MAP_LOOKUP_BATCH", attr: { ...map, out_batch: u32(0), batch_count: 0 } },
  ],
  "batches of a hash map": [
    create(hash),
    { cmd: "MAP_UPDATE_BATCH", attr: { ...map, keys: u32(7), values: u32(8), batch_count: 1 } },
    {
      cmd: "MAP_LOOKUP_AND_DELETE_BATCH",
      attr: { ...map, out_batch: u32(0), keys: u32(0), values: u32(0), batch_count: 4 },
    },
    lookup(7),
    { cmd: "MAP_DELETE_BATCH", attr: { ...map, keys: u32(7), batch_count: 1 } },
  ],
  "batches of a queue": [
    create({ map_type: 22, value_size: 4, max_entries: 4 }),
    { cmd: "MAP_UPDATE_BATCH", attr: { ...map, values: u32(8), batch_count: 1 } },
  ],
  loading: [
    load(),
    load({ insns: new Uint8Array(0) }),
    load({ prog_type: 99 }),
    load({ insns: returnZero, prog_name: "bad name" }),
    load({ insns: bytes("9500000000000000") }),
    load({ insns: bytes("b7000000020000000000000000000000") }),
    load({ prog_flags: 1 << 30 }),
  ],
  "a program with a map": [
    create(array),
    load({
      insns: bytes(
        "18110000000000000000000000000000" +
          "b701000000000000" +
          "b7000000020000009500000000000000",
      ),
    }),
    {
      cmd: "PROG_TEST_RUN",
      attr: { prog_fd: { fd: 1 }, data_in: packet, data_out: new Uint8Array(64) },
    },
  ],
  "test runs": [
    load(),
    {
      cmd: "PROG_TEST_RUN",
      attr: { prog_fd: { fd: 0 }, data_in: packet, data_out: new Uint8Array(64) },
    },
    {
      cmd: "PROG_TEST_RUN",
      attr: { prog_fd: { fd: 0 }, data_in: packet, data_out: new Uint8Array(16) },
    },
    { cmd: "PROG_TEST_RUN", attr: { prog_fd: { fd: 0 }, data_in: new Uint8Array(13) } },
    load({ prog_type: 2, insns: returnZero }),
    { cmd: "PROG_TEST_RUN", attr: { prog_fd: { fd: 4 }, data_in: packet } },
  ],
  ids: [
    { cmd: "MAP_GET_NEXT_ID", attr: { start_id: 0x7fffffff } },
    { cmd: "MAP_GET_NEXT_ID", attr: { start_id: 0x7ffffffe } },
    { cmd: "PROG_GET_FD_BY_ID", attr: { prog_id: 0x7ffffff0 } },
    { cmd: "MAP_GET_FD_BY_ID", attr: { map_id: 0x7ffffff0, open_flags: 1 } },
    { cmd: "BTF_GET_FD_BY_ID", attr: { btf_id: 0x7ffffff0 } },
    { cmd: "LINK_GET_FD_BY_ID", attr: { link_id: 0x7ffffff0 } },
  ],
  pins: [
    create(hash),
    { cmd: "OBJ_PIN", attr: { pathname: pinPath, bpf_fd: { fd: 0 } } },
    { cmd: "OBJ_PIN", attr: { pathname: pinPath, bpf_fd: { fd: 0 } } },
    { cmd: "OBJ_PIN", attr: { pathname: `/tmp/bpfc_${process.pid}`, bpf_fd: { fd: 0 } } },
    { cmd: "OBJ_PIN", attr: { pathname: `${pinPath}2`, bpf_fd: 999 } },
    { cmd: "OBJ_GET", attr: { pathname: pinPath } },
    { cmd: "OBJ_GET", attr: { pathname: `${pinPath}3` } },
    { cmd: "OBJ_GET", attr: { pathname: pinPath, file_flags: 0x18 } },
    { cmd: "OBJ_GET", attr: { pathname: pinPath, file_flags: 1 } },
    { unlink: pinPath },
    { cmd: "OBJ_GET", attr: { pathname: pinPath } },
  ],
  "binding a map": [
    create(hash),
    load(),
    { cmd: "PROG_BIND_MAP", attr: { prog_fd: { fd: 1 }, map_fd: { fd: 0 } } },
    { cmd: "PROG_BIND_MAP", attr: { prog_fd: { fd: 1 }, map_fd: { fd: 0 } } },
    { cmd: "PROG_BIND_MAP", attr: { prog_fd: { fd: 0 }, map_fd: { fd: 0 } } },
    { cmd: "PROG_BIND_MAP", attr: { prog_fd: { fd: 1 }, map_fd: { fd: 1 } } },
    { cmd: "PROG_BIND_MAP", attr: { prog_fd: { fd: 1 }, map_fd: { fd: 0 }, flags: 1 } },
  ],
  "damaged types": [{ cmd: "BTF_LOAD", attr: { btf: bytes("9feb0100") } }],
  "no such command": [{ cmd: "NO_SUCH_COMMAND", attr: {} }],
};

function answersOf(answers: readonly Answer[], sequence: readonly Call[]): object[] {
  return answers.map(({ ret, bufs }, i) => {
    const call = sequence[i];
    const cmd = call !== undefined && "cmd" in call ? call.cmd : "";
    // Instructions are rewritten, and cursors of hash maps are opaque.
    const isHidden = cmd === "PROG_LOAD" || cmd === "BTF_LOAD";
    const hidesCursor = cmd === "MAP_LOOKUP_AND_DELETE_BATCH";
    return { cmd, ret, bufs: isHidden ? [] : bufs.slice(hidesCursor ? 1 : 0) };
  });
}

test("calls with errors do not disturb the simulated kernel", () => {
  const all = Object.values(sequences).map((sequence) => simulate(sequence));
  expect(all.flat().length).toBeGreaterThan(80);
});

kernelTest("the same sequences give the same results and buffers on the kernel", () => {
  mkdirSync(pinFolder, { recursive: true });
  const entries = Object.entries(sequences);
  const theirs = askSyscalls(entries.map(([, sequence]) => sequence));
  const ours = entries.map(([name, calls]) => [name, answersOf(simulate(calls), calls)]);
  expect(ours).toEqual(
    entries.map(([name, calls], i) => [name, answersOf(theirs[i] ?? [], calls)]),
  );
});
