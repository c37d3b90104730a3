/**
 * Judged cases with the few types of the kernel that they need, for tests without that kernel:
 * `npx tsx bench/verifier-reduce.ts CASES.jsonl --out FOLDER [--per-base N]`. Writes kernel.jsonl and
 * kernel.btf; ids of kernel types in the cases are those of the written types. Cases that the
 * reduction changes (they look further than three pointers into the kernel) are left out.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Btf, BtfType, TypeId } from "../common/object/btf.ts";
import { mapReferences, referencedTypes } from "../common/object/btf-references.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import { bytesOfHex, readCase } from "../vm/verifier/cases.ts";
import { KernelTypes } from "../vm/verifier/kernel-types.ts";
import { decodeSlots, isKfuncCall, type RawInsn } from "../vm/verifier/opcodes.ts";
import { verify } from "../vm/verifier/verify.ts";
import { encodeSlots } from "./mutate-program.ts";
import { readLines, runningKernelTypes } from "./verifier-score.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "." },
    "per-base": { type: "string", default: "20" },
  },
});

/** Pointers further than this from a root lead to structures without members. */
const maxPointers = 3;

/** Structures that helpers and contexts name. */
const named = [
  "task_struct sock sock_common tcp_sock sk_buff xdp_buff bpf_map vm_area_struct pt_regs file path",
  "inode seq_file cgroup tcp6_sock tcp_timewait_sock tcp_request_sock udp6_sock unix_sock socket",
  "mptcp_sock bpf_link bpf_prog dma_buf fib6_info kmem_cache kallsym_iter netlink_sock udp_sock",
]
  .join(" ")
  .split(" ");

function isKernelAddress(insn: RawInsn): boolean {
  return insn.code === 0x18 && insn.src === 3;
}

class Reduction {
  readonly kernel: KernelTypes;
  readonly #distance = new Map<TypeId, number>();

  constructor(kernel: KernelTypes) {
    this.kernel = kernel;
  }

  keep(root: TypeId): void {
    const work: [TypeId, number][] = [[root, 0]];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const [id, distance] = next;
      const type = this.kernel.btf.types[id - 1];
      if (type === undefined || (this.#distance.get(id) ?? Number.POSITIVE_INFINITY) <= distance)
        continue;
      this.#distance.set(id, distance);
      const behind = type.kind === "ptr" ? distance + 1 : distance;
      for (const to of referencedTypes(this.#shape(type, distance))) work.push([to, behind]);
    }
  }

  #shape(type: BtfType, distance: number): BtfType {
    const isStructure = type.kind === "struct" || type.kind === "union";
    return isStructure && distance >= maxPointers ? { ...type, members: [] } : type;
  }

  /** The kept types, and their new ids. */
  finish(): { readonly btf: Btf; readonly ids: ReadonlyMap<TypeId, TypeId> } {
    const { btf } = this.kernel;
    btf.types.forEach((type, index) => {
      const isTag = type.kind === "decl_tag" && type.name === "bpf_kfunc";
      if (isTag && this.#distance.has(type.type)) this.#distance.set(index + 1, 0);
    });
    const kept = [...this.#distance.keys()].sort((a, b) => a - b);
    const ids = new Map(kept.map((id, index) => [id, index + 1]));
    const types = kept.map((id) => {
      const type = this.#shape(btf.types[id - 1]!, this.#distance.get(id)!);
      return mapReferences(type, (old) => ids.get(old) ?? 0);
    });
    return { btf: { endian: btf.endian, types }, ids };
  }
}

function rootsOf(json: Record<string, unknown>): TypeId[] {
  const insns = decodeSlots(bytesOfHex(String(json["insns"])));
  const used = insns.filter((insn) => isKfuncCall(insn) || isKernelAddress(insn));
  return [Number(json["attach_btf_id"] ?? 0), ...used.map((insn) => insn.imm)];
}

function renumbered(json: Record<string, unknown>, ids: ReadonlyMap<TypeId, TypeId>): object {
  const map = (id: number): number => ids.get(id) ?? 0;
  const insns = decodeSlots(bytesOfHex(String(json["insns"]))).map((insn) =>
    isKfuncCall(insn) || isKernelAddress(insn) ? { ...insn, imm: map(insn.imm) } : insn,
  );
  const reason = String(json["reason"] ?? "").replace(
    /(btf_id |#)(\d+)/g,
    (text, word: string, id: string) => (ids.has(Number(id)) ? `${word}${map(Number(id))}` : text),
  );
  const { messages: _, verif_us: __, ...rest } = json;
  return {
    ...rest,
    ...withoutTypes(json),
    insns: Buffer.from(encodeSlots(insns)).toString("hex"),
    attach_btf_id: map(Number(json["attach_btf_id"] ?? 0)),
    reason,
  };
}

/** A program of one function needs no types of its own. */
function withoutTypes(json: Record<string, unknown>): object {
  const info = json["func_info"];
  if (!Array.isArray(info) || info.length > 1) return {};
  const maps = (json["maps"] as Record<string, unknown>[]).map((map) => {
    const isTyped = Number(map["btf_value_type_id"]) !== 0;
    return isTyped ? { ...map, btf_key_type_id: 0, btf_value_type_id: 0 } : map;
  });
  return { btf: undefined, func_info: undefined, maps };
}

function run(kernel: KernelTypes): void {
  const perBase = new Map<string, number>();
  const lines = positionals
    .flatMap((file) => readLines(file))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((json) => {
      const base = String(json["id"]).split("#")[0]!;
      const count = perBase.get(base) ?? 0;
      perBase.set(base, count + 1);
      return count < Number(cli["per-base"]);
    });
  const reduction = new Reduction(kernel);
  for (const json of lines) for (const id of rootsOf(json)) reduction.keep(id);
  for (const name of named) reduction.keep(kernel.find("struct", name));
  for (const [index, type] of kernel.btf.types.entries()) {
    if ("name" in type && /__safe_(rcu|trusted)/.test(type.name)) reduction.keep(index + 1);
  }
  const { btf, ids } = reduction.finish();
  const reduced = new KernelTypes(btf);
  const output: string[] = [];
  for (const json of lines) {
    const line = JSON.stringify(renumbered(json, ids));
    const item = readCase(line, { kernel: reduced });
    if (item?.expected === undefined) continue;
    const verdict = verify(item.input);
    const isSame =
      verdict.verdict === item.expected.verdict &&
      verdict.reason === item.expected.reason &&
      verdict.processed === item.expected.processed;
    if (isSame) output.push(line);
  }
  writeFileSync(join(cli.out, "kernel.jsonl"), `${output.join("\n")}\n`);
  writeFileSync(join(cli.out, "kernel.btf"), writeBtf(btf).btf);
  console.log(`${output.length} of ${lines.length} cases, ${btf.types.length} types`);
}

const kernel = runningKernelTypes();
if (kernel === undefined) console.log("the running kernel shows no types");
else run(kernel);
