/** Helpers and context fields give what they give in the running kernel: one small program each. */
import { expect } from "vitest";
import { portableCase } from "../linker/portable-case.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { skbOffsets } from "../vm/programs/layouts.ts";
import { runProgram } from "../vm/programs/run.ts";
import { askKernel, type KernelJob, kernelTest } from "./support/kernel.ts";
import { loadAssembly } from "./support/load-assembly.ts";

const ethernet = "020000000001020000000002";
const packets = [
  `${ethernet}0800450000280001000040068e93c0000201c63364079c4001bb0000000100000002500203e800000000`,
  `${ethernet}86dd600000000014064020010db800000000000000000000000120010db8000000000000000000000002000100020000000100000002500203e800000000`,
  `${ethernet}0806${"5a".repeat(28)}`,
  `${"ff".repeat(6)}0200000000010800${"4500001c".repeat(30)}`,
  `${"00".repeat(12)}8100006408004500${"01".repeat(40)}`,
];

interface Case {
  readonly section: "xdp" | "tc" | "socket" | "cgroup_skb/ingress";
  readonly body: string;
}

const call = (id: number, ...args: readonly (number | string)[]): string => {
  const lines = args.map((arg, i) => (typeof arg === "number" ? `r${i + 2} = ${arg}` : arg));
  return ["r6 = r1", ...lines, `call ${id}`].join("\n");
};
const tc = (body: string): Case => ({ section: "tc", body });
const xdp = (body: string): Case => ({ section: "xdp", body });
/** r<n> = address of `bytes` zeroed bytes of stack that hold a pattern. */
const buffer = (register: number, bytes: number): string =>
  [
    ...Array.from(
      { length: Math.ceil(bytes / 8) },
      (_, i) => `*(u64 *)(r10 - ${8 * (i + 1)}) = ${i * 77 + 5}`,
    ),
    `r${register} = r10`,
    `r${register} += -${Math.ceil(bytes / 8) * 8}`,
  ].join("\n");
const withLength = (body: string): string => `${body}\nr0 <<= 16\nr1 = *(u32 *)(r6 + 0)\nr0 |= r1`;
const withData = (body: string): string => `${body}
	r1 = *(u32 *)(r6 + 0)
	r2 = *(u32 *)(r6 + 4)
	r3 = r1
	r3 += 14
	if r3 > r2 goto +3
	r4 = *(u8 *)(r1 + 13)
	r0 <<= 8
	r0 |= r4`;

const fields = ["len", "pkt_type", "mark", "queue_mapping", "protocol", "vlan_present", "vlan_tci"];
const moreFields = ["vlan_proto", "priority", "ingress_ifindex", "ifindex", "tc_index", "hash"];

/** bpf_check_mtu: what it gives, and what it puts into the length. */
const mtu = (length: number, device: number, difference: number, flags: number): string =>
  [
    `*(u32 *)(r10 - 4) = ${length}`,
    call(163, device, "r3 = r10\nr3 += -4", difference, flags),
    "r0 <<= 20",
    "r1 = *(u32 *)(r10 - 4)",
    "r0 |= r1",
  ].join("\n");

const cases: readonly Case[] = [
  ...[0, 1000, 65535, 65536, 65540, 70000].flatMap((length) =>
    [0, 1, 9999].flatMap((device) => [
      xdp(mtu(length, device, 0, 0)),
      tc(mtu(length, device, 4, 0)),
    ]),
  ),
  xdp(mtu(100, 0, 65500, 0)),
  tc(mtu(100, 0, 0, 2)),
  xdp(mtu(100, 0, 0, 1)),
  ...[0, 1, 2, 3].flatMap((type) =>
    [0, 12345].map((time) =>
      tc(`${call(192, time, type)}\nr0 <<= 16\nr1 = *(u64 *)(r6 + 152)\nr0 |= r1`),
    ),
  ),
  ...[-300, -256, -216, -217, -40, -4, -3, 0, 1, 4, 14, 40, 200].flatMap((n) => [
    xdp(withData(call(44, n))),
    xdp(withData(call(65, n))),
    xdp(withData(call(54, n))),
  ]),
  ...[1, 100, 3000, 4000].map((n) => xdp(withData(call(65, n)))),
  xdp(call(188)),
  ...[0, 10, 40, 5000].flatMap((at) => [
    xdp(
      `${call(189, at, buffer(3, 16).replace(/^/, ""), 8)}\nr1 = *(u64 *)(r10 - 16)\nr0 += r1`.replace(
        "r4 = 8",
        "r4 = 8",
      ),
    ),
    xdp(call(190, at, buffer(3, 16), 8)),
  ]),
  ...[0, 13, 1000].flatMap((at): Case[] => [
    tc(`${call(26, at, buffer(3, 16), 4)}\nr1 = *(u64 *)(r10 - 16)\nr0 += r1`),
    tc(call(9, at, buffer(3, 16), 12, 0)),
    tc(call(9, at, buffer(3, 16), 4, 8)),
    {
      section: "socket",
      body: `${call(26, at, buffer(3, 16), 4)}\nr1 = *(u64 *)(r10 - 16)\nr0 += r1`,
    },
    { section: "cgroup_skb/ingress", body: `${call(26, at, buffer(3, 16), 4)}\nr0 &= 1` },
  ]),
  ...[0, 1].flatMap((header) => [
    tc(`${call(68, 2, buffer(3, 16), 4, header)}\nr1 = *(u64 *)(r10 - 16)\nr0 += r1`),
  ]),
  ...[
    [24, 0x0102, 0x0304, 2],
    [24, 0x01020304, 0x05060708, 4],
    [24, 0, 0x1234, 0],
    [24, 1, 0x1234, 0],
    [24, 1, 2, 3],
    [25, 1, 2, 2],
    [2000, 1, 2, 2],
    [24, 1, 2, 0x12],
  ].map((args) => tc(call(10, ...args))),
  ...[
    [50, 0x0102, 0x0304, 2],
    [50, 0x01020304, 0x7fffffff, 4],
    [50, 0, 0x4321, 0],
    [50, 5, 5, 0x22],
    [50, 0x11, 0x22, 0x12],
    [50, 0x11, 0x22, 0x62],
    [24, 0x11, 0x22, 0x14],
  ].map((args) => tc(call(11, ...args))),
  ...[14, 20, 33, 60, 500, 3000, 13, 70000].map((n) => tc(withLength(call(38, n, 0)))),
  ...[0, 4, 100].map((n) => tc(withLength(call(43, n, 0)))),
  ...[0, 14, 54, 5000].map((n) => tc(call(39, n))),
  ...[0, 1, 3, 4, 9].map((n) => tc(`${call(32, n)}\nr1 = *(u32 *)(r6 + 4)\nr0 <<= 8\nr0 |= r1`)),
  tc(withLength(call(18, 0x81, 5))),
  tc(`${call(18, 0x81, 5)}\nr0 = *(u32 *)(r6 + ${skbOffsets.vlan_tci})`),
  tc(withLength(call(19))),
  ...fields.map((name) => tc(`r0 = *(u32 *)(r1 + ${skbOffsets[name as "len"]})`)),
  ...moreFields.map((name) => tc(`r0 = *(u32 *)(r1 + ${skbOffsets[name as "len"]})`)),
  ...["family", "remote_ip4", "local_ip4"].map(
    (name): Case => ({
      section: "cgroup_skb/ingress",
      body: `r0 = *(u32 *)(r1 + ${skbOffsets[name as "len"]})\nr0 *= 0x9e3779b1\nr0 >>= 7\nr0 &= 1`,
    }),
  ),
  ...[12, 16].map((at) => xdp(`r0 = *(u32 *)(r1 + ${at})`)),
  ...[0, 12, 23, 30, 200].flatMap((at): Case[] => [
    { section: "socket", body: `r6 = r1\nr0 = *(u32 *)skb[${at}]` },
    { section: "socket", body: `r6 = r1\nr7 = ${at}\nr0 = *(u16 *)skb[r7 + 1]` },
    tc(`r6 = r1\nr0 = *(u8 *)skb[${at}]`),
  ]),
  ...[
    [0, 0, 0],
    [8, 0, 0],
    [0, 8, 0x1234],
    [8, 8, 0xffff],
    [16, 12, 77],
    [4, 16, -1],
    [8, 0, 5],
  ].map(([from = 0, to = 0, seed = 0]) =>
    xdp(
      `${buffer(1, 16)}\n${from === 0 ? "r1 = 0\n" : ""}r2 = ${from}\nr3 = ${to === 0 ? "0" : "r10\nr3 += -16"}\nr4 = ${to}\nr5 = ${seed}\ncall 28`,
    ),
  ),
];

function caseText({ section, body }: Case): string {
  return `
	.section "${section}","ax",@progbits
	.globl main
	.type main,@function
main:
${body}
	exit
	.section license,"aw",@progbits
	.asciz "GPL"
`;
}

kernelTest("helpers and context fields", () => {
  const loaded = cases.map((c) => loadAssembly(caseText(c)));
  const jobs = loaded.map(
    (object): KernelJob => ({
      ...(portableCase(object, object.programs[0] as never) as KernelJob),
      log_level: 1,
      runs: packets.map((data) => ({ data })),
    }),
  );
  const kernel = new Kernel();
  const differences: string[] = [];
  let compared = 0;
  for (const [i, result] of askKernel(jobs).entries()) {
    const text = (cases[i] as Case).body.replace(/\s*\n\s*/g, "; ");
    expect(result.verdict, `${text}\n${result.log.slice(-400)}`).toBe("accept");
    for (const engine of ["jit", "interpreter"] as const) {
      const set = kernel.load(loaded[i] as NonNullable<(typeof loaded)[number]>);
      if ("message" in set) throw new Error(set.message);
      const program = set.programs.get("main");
      if (program === undefined) throw new Error("no program");
      for (const [k, packet] of packets.entries()) {
        const wanted = result.runs?.[k];
        const got = runProgram(kernel, program, { packet: Buffer.from(packet, "hex"), engine });
        if (wanted?.errno !== 0) {
          if (got.error === undefined)
            differences.push(`${text} #${k}: kernel errno ${wanted?.errno}`);
          continue;
        }
        compared += 1;
        const out = Buffer.from(got.packet ?? []).toString("hex");
        const same = got.error === undefined && got.retval === ((wanted.retval ?? 0) | 0);
        if (!same) {
          const shown = got.error?.message ?? got.retval;
          differences.push(
            `${text} #${k} ${engine}: kernel ${(wanted.retval ?? 0) | 0}, VM ${shown}`,
          );
        } else if (out !== wanted.data) {
          differences.push(`${text} #${k} ${engine}: kernel ${wanted.data}, VM ${out}`);
        }
      }
    }
  }
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(900);
});
