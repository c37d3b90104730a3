/** Which arguments of helpers the verifier looks at: the part of the helper table that a compiler needs. */
import { lazy } from "../lazy.ts";
import { helperArgumentRows } from "./generated/helper-arguments.ts";

const rows = lazy(
  () =>
    new Map(
      helperArgumentRows.split("\n").map((line) => {
        const [id, letters = ""] = line.split(" ");
        return [Number(id), letters] as const;
      }),
    ),
);

/** True where the argument may be any number; beyond the listed ones are printk's. */
export function helperTakesAnything(id: number, index: number): boolean {
  const letters = rows().get(id);
  return letters !== undefined && (letters[index] ?? "a") === "a";
}
