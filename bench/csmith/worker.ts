/** A process that judges one seed after the other; `bench/csmith.ts` starts it and talks to it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { judgeSeed, type Task } from "./judge.ts";

/** What the parent sends: the task once, then seeds. */
export type Order = { readonly task: Task } | { readonly seed: number };

// The parent decides what an interruption means.
process.on("SIGINT", () => {});

let task: Task | undefined;
process.on("message", (order: Order) => {
  if ("task" in order) {
    task = order.task;
    return;
  }
  if (task === undefined) throw new Error("a seed before the task");
  process.send?.(judgeSeed(order.seed, task));
  for (const name of [`${order.seed}`, `${order.seed}.c`]) {
    rmSync(join(task.work, name), { force: true });
  }
});
