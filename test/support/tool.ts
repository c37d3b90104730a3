/** The built command line tool as other programs call it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const bundle = join(import.meta.dirname, "../../dist/bpfc.cjs");

export interface ToolResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bpfc` with these words in a folder. */
export function runTool(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: string },
): ToolResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  return { status, stdout, stderr };
}
