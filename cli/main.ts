/**
 * The command line: one subcommand per file, loaded when it is asked for. Called as `bpfc-clang`,
 * `bpfc-strip` or `bpfc-conformance` it behaves as that tool, so that others can be pointed at it.
 */
import { basename } from "node:path";
import { runCc } from "./cc/run-cc.ts";
import { printError } from "./report.ts";
import { version } from "./version.ts";

async function dispatch(name: string, args: readonly string[]): Promise<number> {
  if (name.includes("clang")) return runCc(args, name);
  if (name.includes("conformance")) {
    return (await import("./conformance-plugin.ts")).runConformancePlugin(args);
  }
  if (name.includes("strip")) return (await import("./strip.ts")).runStrip(args);
  // clang's options would clash with a parser of subcommands, so `cc` takes its words as they are.
  if (args[0] === "cc") return runCc(args.slice(1), "bpfc");
  const { runSubcommand } = await import("./subcommands.ts");
  return runSubcommand(args, version);
}

/** Our own bugs end in one line that can be reported, and exit code 70 (EX_SOFTWARE). */
function reportBug(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  // By name: each bundle has the class for itself.
  const isInternal = error instanceof Error && error.name === "InternalError";
  const kind = isInternal ? "internal error" : "unexpected error";
  printError(`bpfc: ${kind}: ${message}\nThis is a bug of bpfc; please report it with the input.`);
  if (process.env["BPFC_DEBUG"] === "1" && error instanceof Error) printError(error.stack ?? "");
  return 70;
}

const invokedAs = basename(process.argv[1] ?? "bpfc");
// All output is written when this ends, and a last collection of garbage would be for nothing.
dispatch(invokedAs, process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(reportBug(error)),
);
