/** The platform tables: generated files are fresh, rows are sound, look-ups find them. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  contextAccess,
  contextVariantFor,
  contextVariants,
} from "../common/platform/context-access.ts";
import { helperAvailable } from "../common/platform/helper-availability.ts";
import {
  allHelpers,
  helperById,
  helperByName,
  helperSignature,
} from "../common/platform/helpers.ts";
import { compareVersions } from "../common/platform/kernel-versions.ts";
import { allKfuncs, kfuncByName } from "../common/platform/kfuncs.ts";
import { allMapTypes, keepsSizeRule, mapTypeByName } from "../common/platform/map-types.ts";
import {
  allProgramTypes,
  attachTypeByName,
  contextFieldAt,
  programTypeByName,
} from "../common/platform/program-types.ts";
import {
  definitionForSection,
  type SectionDefinition,
  sectionDefinitions,
} from "../common/platform/section-definitions.ts";
import { programTypeForSection } from "../common/platform/sections.ts";
import { uapiConstant, uapiEnum, uapiStruct } from "../common/platform/uapi.ts";

function data(name: string): string[][] {
  const path = new URL(`../scripts/data/${name}.tsv.gz`, import.meta.url);
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text.split("\n").map((line) => line.split("\t"));
}

test("helpers: ids and names lead to the same rows; as many arguments as parameters", () => {
  expect(allHelpers()).toHaveLength(211);
  for (const helper of allHelpers()) {
    expect(helperById(helper.id)).toBe(helper);
    expect(helperByName(helper.name)).toBe(helper);
    // The verifier may look at fewer: bpf_get_branch_snapshot's flags, printk's arguments.
    expect(helper.params.length - helper.argTypes.length, helper.name).toBeOneOf([0, 1]);
  }
  expect(helperByName("bpf_map_lookup_elem")?.argTypes).toEqual([
    "ARG_CONST_MAP_PTR",
    "ARG_PTR_TO_MAP_KEY",
  ]);
  const stackId = helperByName("bpf_get_stackid")!;
  expect(helperSignature(stackId, "KPROBE").gplOnly).toBe(true);
  expect(helperSignature(stackId, "PERF_EVENT").gplOnly).toBe(false);
});

test("helper availability says what was measured", () => {
  const [head = [], ...rows] = data("helper-availability");
  expect(rows).toHaveLength(211);
  for (const row of rows) {
    row.slice(2).forEach((cell, column) => {
      const found = helperAvailable(head[column + 2]!, Number(row[1]));
      expect(found, `${row[0]} in ${head[column + 2]}`).toBe(cell === "-" ? "no" : cell);
    });
  }
  expect(helperAvailable("fentry", 1)).toBeUndefined();
});

test("context access says what was measured, and nothing else", () => {
  const listed = new Set<string>();
  for (const [variant = "", , , offset, size, access, register = ""] of data("ctx-access").slice(
    1,
  )) {
    const kind = contextAccess(variant, Number(offset), Number(size), access === "write");
    expect(kind).toBe(register === "" ? "scalar" : register.replace(/\(.*/, ""));
    listed.add(`${variant} ${offset} ${size} ${access}`);
  }
  let legal = 0;
  for (const { name } of contextVariants()) {
    for (let offset = -16; offset < 400; offset++) {
      for (const size of [1, 2, 4, 8]) {
        for (const access of ["read", "write"]) {
          if (contextAccess(name, offset, size, access === "write") === undefined) continue;
          legal += 1;
          expect(listed.has(`${name} ${offset} ${size} ${access}`)).toBe(true);
        }
      }
    }
  }
  expect(legal).toBe(listed.size);
  expect(contextVariantFor(6, 33)?.name).toBe("xdp/devmap");
  expect(contextVariantFor(6, 37)?.name).toBe("xdp");
  expect(contextVariantFor(29, 0)).toBeUndefined();
});

test("map types", () => {
  expect(allMapTypes().map((type) => type.id)).toEqual(allMapTypes().map((_, index) => index + 1));
  expect(mapTypeByName("ringbuf")).toBe(mapTypeByName("BPF_MAP_TYPE_RINGBUF"));
  const sizes = (name: string, value: number): boolean =>
    keepsSizeRule(mapTypeByName(name)!.valueSize, value);
  expect([sizes("sockmap", 4), sizes("sockmap", 8), sizes("sockmap", 5)]).toEqual([
    true,
    true,
    false,
  ]);
  expect([sizes("queue", 0), sizes("ringbuf", 0), sizes("hash", 100_000)]).toEqual([
    false,
    true,
    true,
  ]);
});

describe("section names", () => {
  test.each([
    ["xdp", "XDP", "BPF_XDP"],
    ["xdp.frags/devmap", "XDP", "BPF_XDP_DEVMAP"],
    ["tc", "SCHED_CLS", undefined],
    ["tcx/ingress", "SCHED_CLS", "BPF_TCX_INGRESS"],
    ["kprobe/do_unlinkat", "KPROBE", undefined],
    ["tracepoint/syscalls/sys_enter_execve", "TRACEPOINT", undefined],
    ["raw_tp/sched_switch", "RAW_TRACEPOINT", undefined],
    ["fentry.s/do_unlinkat", "TRACING", "BPF_TRACE_FENTRY"],
    ["cgroup/connect4", "CGROUP_SOCK_ADDR", "BPF_CGROUP_INET4_CONNECT"],
    ["struct_ops/tcp_init", "STRUCT_OPS", undefined],
    ["?lsm.s/bpf", "LSM", "BPF_LSM_MAC"],
  ])("%s", (name, programType, attachType) => {
    const match = programTypeForSection(name);
    expect(match?.programType.name).toBe(`BPF_PROG_TYPE_${programType}`);
    expect(match?.attachType?.name).toBe(attachType);
    expect(match?.autoload).toBe(!name.startsWith("?"));
    expect(match?.sleepable).toBe(name.includes(".s/"));
    expect(match?.fragments).toBe(name.startsWith("xdp.frags"));
  });
  test("what libbpf does not know is not guessed", () => {
    for (const name of ["xdp_prog", "", "tc/", "kprobe_x", "maps"]) {
      expect(programTypeForSection(name), name).toBeUndefined();
    }
  });
  test("every row finds itself", () => {
    for (const row of sectionDefinitions()) {
      expect(programTypeForSection(row.name)?.definition).toEqual(row);
    }
  });
  test("the first row that matches counts", () => {
    const firstOf = (name: string): SectionDefinition | undefined =>
      sectionDefinitions().find(
        (row) => row.name === name || (row.prefix && name.startsWith(`${row.name}/`)),
      );
    const names = sectionDefinitions().flatMap(({ name }) =>
      ["", "/", "/x", "/x/y", "x", ".s", ".s/x"].map((end) => name + end),
    );
    for (const name of [...names, 'a",0,1]', "\n", "/xdp"])
      expect(definitionForSection(name), name).toEqual(firstOf(name));
  });
});

test("program types, attach types, contexts", () => {
  expect(allProgramTypes()).toHaveLength(32);
  expect(programTypeByName("xdp")?.returnCodes["XDP_DROP"]).toBe(1);
  expect(attachTypeByName("XDP_DEVMAP")?.id).toBe(33);
  expect(contextFieldAt(6, 4)).toMatchObject({ struct: "xdp_md", field: "data_end" });
  expect(contextFieldAt(6, 400)).toBeUndefined();
});

test("kfuncs, constants, structs, versions", () => {
  expect(allKfuncs()).toHaveLength(324);
  expect(kfuncByName("bpf_iter_num_new")?.flags).toEqual(["KF_ITER_NEW"]);
  expect(uapiConstant("BPF_F_CTXLEN_MASK")).toBe(0xfffff00000000n);
  expect(uapiEnum("xdp_action").get("XDP_REDIRECT")).toBe(4n);
  expect(uapiStruct("xdp_md")).toMatchObject({ kind: "struct", size: 24 });
  expect(compareVersions("5.8", "5.15")).toBeLessThan(0);
});
