/** uBPF's JIT for comparison: compiles its sources with a small driver, which runs hex programs. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgramSpec } from "../linker/program.ts";

const driver = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "ubpf.h"

static size_t bytes(const char *hex, unsigned char *out)
{
	size_t n = strlen(hex) / 2;
	for (size_t i = 0; i < n; i++) {
		unsigned value;
		sscanf(hex + 2 * i, "%2x", &value);
		out[i] = value;
	}
	return n;
}

int main(int argc, char **argv)
{
	static unsigned char code[1 << 20];
	char *error = 0;
	size_t size = bytes(argv[1], code);
	int repeat = atoi(argv[3]);
	unsigned char *low = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	size_t length = bytes(argv[2], low + 4096);
	unsigned *ctx = (unsigned *)low;
	ctx[0] = (unsigned)(unsigned long)(low + 4096);
	ctx[1] = ctx[0] + length;
	struct ubpf_vm *vm = ubpf_create();
	if (ubpf_load(vm, code, size, &error) < 0 || !ubpf_compile(vm, &error)) {
		fprintf(stderr, "%s\\n", error ? error : "?");
		return 1;
	}
	ubpf_jit_fn run = ubpf_compile(vm, &error);
	double best = 1e18;
	for (int k = 0; k < 5; k++) {
		struct timespec a, b;
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int i = 0; i < repeat; i++)
			run(ctx, 24);
		clock_gettime(CLOCK_MONOTONIC, &b);
		double t = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / repeat;
		if (t < best)
			best = t;
	}
	printf("%f\\n", best);
}
`;
const sources = ["jit_x86_64", "jit_arm64", "jit", "jit_support", "vm", "loader", "safe"];

export class Ubpf {
  readonly #binary: string;
  readonly #packet: string;
  /** Workloads that it cannot run: maps, helpers. */
  readonly #unable = new Set<string>();

  constructor(folder: string, packet: Uint8Array) {
    const work = mkdtempSync(join(tmpdir(), "bpfc-ubpf-"));
    this.#binary = join(work, "driver");
    this.#packet = Buffer.from(packet).toString("hex");
    writeFileSync(join(work, "driver.c"), driver);
    writeFileSync(join(work, "ubpf_config.h"), "#define UBPF_HAS_ELF_H 1\n");
    const files = [...sources.map((name) => `ubpf_${name}.c`), "ubpf_instruction_valid.c"];
    const child = spawnSync(
      "gcc",
      [
        ...["-O3", "-w", "-o", this.#binary, join(work, "driver.c")],
        ...["-I", work, "-I", join(folder, "vm"), "-I", join(folder, "vm/inc")],
        ...files.map((name) => join(folder, "vm", name)),
        "-lm",
      ],
      { encoding: "utf8" },
    );
    if (child.status !== 0) throw new Error(child.stderr);
  }

  /** Nanoseconds per run; undefined where the program needs what uBPF does not have. */
  measure(name: string, spec: ProgramSpec, repeat: number): number | undefined {
    if (this.#unable.has(name)) return undefined;
    const code = Buffer.from(spec.insns).toString("hex");
    const child = spawnSync(this.#binary, [code, this.#packet, String(repeat)], {
      encoding: "utf8",
    });
    if (child.status === 0) return Number(child.stdout);
    this.#unable.add(name);
    return undefined;
  }
}
