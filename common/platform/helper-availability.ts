/**
 * Which helper each (program type, attach type) variant may call, as Linux 6.18 answered. The
 * variants are those of context-access.ts.
 */
import { lazy } from "../lazy.ts";
import { helperAvailabilityRows, helperVariants } from "./generated/helper-availability.ts";

/** `gpl`: only in a program with a GPL-compatible licence. */
export type HelperAvailability = "yes" | "gpl" | "no";

const answers: Readonly<Record<string, HelperAvailability>> = { y: "yes", g: "gpl", "-": "no" };

const columns = lazy(
  () => new Map(helperVariants.split("\n").map((variant, index) => [variant, index])),
);
const table = lazy(
  () =>
    new Map(
      helperAvailabilityRows.split("\n").map((line) => {
        const [id = "", cells = ""] = line.split(" ");
        return [Number(id), cells] as const;
      }),
    ),
);

/** Undefined for a variant or helper that was not measured (fentry, lsm, struct_ops …). */
export function helperAvailable(variant: string, helperId: number): HelperAvailability | undefined {
  const column = columns().get(variant);
  if (column === undefined) return undefined;
  return answers[table().get(helperId)?.[column] ?? ""];
}
