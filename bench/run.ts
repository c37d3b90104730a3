/** `npm run bench`: the measurements that need nothing but clang-19 and this machine's kernel. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

for (const script of ["compare.ts", "compile-time.ts"]) {
  const path = join(import.meta.dirname, script);
  const result = spawnSync("npx", ["tsx", path, ...process.argv.slice(2)], { stdio: "inherit" });
  if (result.status !== 0) process.exitCode = 1;
}
