/** What came with which kernel: features, limits and the long-term releases. */
import { featureRows, limitRows, longTermRows } from "./generated/kernel-versions.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

export type FeatureRow = readonly [category: string, feature: string, since: KernelVersion];
export type LimitRow = readonly [
  limit: string,
  value: number,
  since: KernelVersion,
  until?: KernelVersion,
];

/** e.g. `["core", "bpf() syscall, map commands", "3.18"]`. */
export const kernelFeatures = lazyRows<FeatureRow>(featureRows);
/** e.g. `["program size, instructions (CAP_BPF)", 1000000, "5.2"]`. */
export const kernelLimits = lazyRows<LimitRow>(limitRows);

export type LongTermRelease = { readonly kernel: KernelVersion } & Readonly<
  Record<string, string | number | boolean>
>;
/** One row per long-term release, with what it can do. */
export const longTermReleases = lazyRows<LongTermRelease>(longTermRows);

/** Negative where `a` is older than `b`. */
export function compareVersions(a: KernelVersion, b: KernelVersion): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}
