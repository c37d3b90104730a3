/** struct bpf_cpumask: as many bits as the kernel may have CPUs, then a reference count. */
import type { Helper, HelperCall } from "./helper-call.ts";

const maskBytes = 1024;
const noCpu = maskBytes * 8;

const mask = (call: HelperCall, register: number, write = false): Uint8Array =>
  call.bytes(register, maskBytes, write);

const hasBit = (bytes: Uint8Array, cpu: number): boolean =>
  ((bytes[cpu >> 3] ?? 0) & (1 << (cpu & 7))) !== 0;

function setBit(bytes: Uint8Array, cpu: number, value: boolean): void {
  const byte = bytes[cpu >> 3];
  if (byte === undefined) return;
  bytes[cpu >> 3] = value ? byte | (1 << (cpu & 7)) : byte & ~(1 << (cpu & 7));
}

/** The first CPU whose bit is as asked for; the number of CPUs where there is none. */
function first(call: HelperCall, test: (cpu: number) => boolean): number {
  for (let cpu = 0; cpu < call.kernel.cpuCount; cpu += 1) if (test(cpu)) return cpu;
  return noCpu;
}

const count = (call: HelperCall, bytes: Uint8Array): number =>
  Array.from({ length: call.kernel.cpuCount }, (_, cpu) => cpu).filter((c) => hasBit(bytes, c))
    .length;

/** `(target, a, b)`: whether the result has a bit. */
const combine =
  (operation: (a: number, b: number) => number): Helper =>
  (call) => {
    const [a, b] = [mask(call, 2), mask(call, 3)];
    const target = mask(call, 1, true);
    for (let i = 0; i < maskBytes; i += 1) {
      target[i] = operation(a[i] as number, b[i] as number);
    }
    return count(call, target) > 0 ? 1 : 0;
  };

const compare =
  (test: (a: number, b: number) => boolean): Helper =>
  (call) => {
    const [a, b] = [mask(call, 1), mask(call, 2)];
    return a.every((byte, i) => test(byte, b[i] as number)) ? 1 : 0;
  };

const isCpu = (call: HelperCall, cpu: number): boolean => cpu < call.kernel.cpuCount;

/** Sets or clears `(cpu, mask)`; the bit that was there. */
const change =
  (value: boolean): Helper =>
  (call) => {
    const bytes = mask(call, 2, true);
    const cpu = call.low(1);
    if (!isCpu(call, cpu)) return 0;
    const old = hasBit(bytes, cpu);
    setBit(bytes, cpu, value);
    return old ? 1 : 0;
  };

const silently =
  (helper: Helper): Helper =>
  (call) => {
    helper(call);
    return 0;
  };

export const cpumaskKfuncs: Readonly<Record<string, Helper>> = {
  bpf_cpumask_create: (call) => call.memory.region("cpumask", "cpumask", maskBytes),
  bpf_cpumask_acquire: (call) => call.arg(1),
  bpf_cpumask_release: () => 0,
  bpf_cpumask_first: (call) => first(call, (cpu) => hasBit(mask(call, 1), cpu)),
  bpf_cpumask_first_zero: (call) => first(call, (cpu) => !hasBit(mask(call, 1), cpu)),
  bpf_cpumask_first_and: (call) =>
    first(call, (cpu) => hasBit(mask(call, 1), cpu) && hasBit(mask(call, 2), cpu)),
  bpf_cpumask_any_distribute: (call) => first(call, (cpu) => hasBit(mask(call, 1), cpu)),
  bpf_cpumask_any_and_distribute: (call) =>
    first(call, (cpu) => hasBit(mask(call, 1), cpu) && hasBit(mask(call, 2), cpu)),
  bpf_cpumask_set_cpu: silently(change(true)),
  bpf_cpumask_clear_cpu: silently(change(false)),
  bpf_cpumask_test_and_set_cpu: change(true),
  bpf_cpumask_test_and_clear_cpu: change(false),
  bpf_cpumask_test_cpu: (call) =>
    isCpu(call, call.low(1)) && hasBit(mask(call, 2), call.low(1)) ? 1 : 0,
  bpf_cpumask_setall: (call) => {
    const bytes = mask(call, 1, true);
    for (let cpu = 0; cpu < call.kernel.cpuCount; cpu += 1) setBit(bytes, cpu, true);
    return 0;
  },
  bpf_cpumask_clear: (call) => {
    mask(call, 1, true).fill(0);
    return 0;
  },
  bpf_cpumask_and: combine((a, b) => a & b),
  bpf_cpumask_or: silently(combine((a, b) => a | b)),
  bpf_cpumask_xor: silently(combine((a, b) => a ^ b)),
  bpf_cpumask_equal: compare((a, b) => a === b),
  bpf_cpumask_subset: compare((a, b) => (a & ~b) === 0),
  bpf_cpumask_intersects: (call) => {
    const [a, b] = [mask(call, 1), mask(call, 2)];
    return a.some((byte, i) => (byte & (b[i] as number)) !== 0) ? 1 : 0;
  },
  bpf_cpumask_empty: (call) => (count(call, mask(call, 1)) === 0 ? 1 : 0),
  bpf_cpumask_full: (call) => (count(call, mask(call, 1)) === call.kernel.cpuCount ? 1 : 0),
  bpf_cpumask_copy: (call) => {
    mask(call, 1, true).set(mask(call, 2));
    return 0;
  },
  bpf_cpumask_weight: (call) => count(call, mask(call, 1)),
};
