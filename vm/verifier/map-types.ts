/**
 * Whether the kernel takes a map together with the types of its keys and values. Where it does not,
 * loaders create the map without them, and what needs the types is refused when a program is loaded.
 */
import type { Btf } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import type { VerifierMap } from "./input.ts";
import type { Fields } from "./map-record.ts";

const hash = 1;
const array = 2;
const perCpuHash = 5;
const perCpuArray = 6;
const lruHash = 9;
const lruPerCpuHash = 10;
const cgroupStorage = 19;
const socketStorage = 24;
const inodeStorage = 28;
const taskStorage = 29;
const cgroupLocalStorage = 32;

const localStorage: readonly number[] = [
  socketStorage,
  inodeStorage,
  taskStorage,
  cgroupLocalStorage,
];
const forLocks: readonly number[] = [hash, array, cgroupStorage, ...localStorage];
const forWork: readonly number[] = [hash, lruHash, array];
const forPointers: readonly number[] = [
  ...forWork,
  perCpuHash,
  lruPerCpuHash,
  perCpuArray,
  ...localStorage,
];

/** Map types whose values may have such a field. */
const typesOfField: Readonly<Record<string, readonly number[]>> = {
  bpf_spin_lock: forLocks,
  bpf_res_spin_lock: forLocks,
  bpf_timer: forWork,
  bpf_wq: forWork,
  bpf_task_work: forWork,
  bpf_list_head: forWork,
  bpf_rb_root: forWork,
  bpf_refcount: forPointers,
  kptr: forPointers,
  percpu_kptr: forPointers,
  uptr: [taskStorage],
};

/** BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG. */
const oneWay = 128 | 256;

/** Their keys are numbers of 32 bits, or none at all in sections of data. */
const indexed: readonly number[] = [array, perCpuArray, ...localStorage];

function takesKey(btf: Btf, map: VerifierMap): boolean {
  if (map.btfKey === 0) return indexed.includes(map.type) && map.maxEntries <= 1;
  if (btfSizeOf(btf, map.btfKey) !== map.keySize) return false;
  if (!indexed.includes(map.type)) return true;
  const key = btfTypeById(btf, skipModifierIds(btf, map.btfKey));
  return key?.kind === "int" && key.size === 4;
}

/** Says so of a map that has a value type. */
export function takesTypes(btf: Btf, map: VerifierMap, fields: Fields): boolean {
  if (fields.length > 0 && (map.flags & oneWay) !== 0) return false;
  if (!takesKey(btf, map) || btfSizeOf(btf, map.btfValue) !== map.valueSize) return false;
  return fields.every(({ name }) => typesOfField[name]?.includes(map.type) ?? true);
}
