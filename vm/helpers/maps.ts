/** Helpers on maps. */
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { HashOfMaps } from "../maps/hash-of-maps.ts";
import { type BpfMap, mapHandleBase } from "../maps/map.ts";
import { ArrayOfMaps } from "../maps/program-array.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

/** Handles have few enough bits for a number. */
const firstHandle = Number(mapHandleBase);

const keyOf = (call: HelperCall, map: BpfMap): Uint8Array => call.bytes(2, map.description.keySize);

/** A map of maps gives the inner map's handle. */
function lookup(call: HelperCall): bigint | number {
  const map = call.map(1);
  if (map instanceof ArrayOfMaps || map instanceof HashOfMaps) {
    const inner = map.innerAt(call.address(2, map.description.keySize, false));
    const found = call.kernel.mapById(inner);
    return found === undefined ? 0 : firstHandle + found.handleSlot;
  }
  return map.lookupAt(call.address(2, map.description.keySize, false));
}

const rendezvous =
  (use: (map: BpfMap, value: Uint8Array) => number, write: boolean): Helper =>
  (call) => {
    const map = call.map(1);
    return use(map, call.bytes(2, map.description.valueSize, write));
  };

export const mapHelpers: Readonly<Record<string, Helper>> = {
  bpf_map_lookup_elem: lookup,
  bpf_map_update_elem: (call) => {
    const map = call.map(1);
    const { keySize, valueSize } = map.description;
    const key = call.address(2, keySize, false);
    return map.updateAt(key, call.address(3, valueSize, false), call.arg(4));
  },
  /** The engines do it; what comes here has no target. */
  bpf_tail_call: () => 0,
  bpf_map_delete_elem: (call) => {
    const map = call.map(1);
    return map.delete(keyOf(call, map));
  },
  bpf_map_push_elem: (call) => {
    const map = call.map(1);
    return map.push(call.bytes(2, map.description.valueSize), call.arg(3));
  },
  bpf_map_pop_elem: rendezvous((map, value) => map.pop(value), true),
  bpf_map_peek_elem: rendezvous((map, value) => map.peek(value), true),
  bpf_map_lookup_percpu_elem: (call) => {
    const map = call.map(1);
    const cpu = call.low(3);
    return cpu >= call.kernel.cpuCount ? 0 : map.lookup(keyOf(call, map), cpu);
  },
  bpf_for_each_map_elem: (call) => {
    const map = call.map(1);
    const [callback, context, flags] = [call.arg(2), call.arg(3), call.arg(4)];
    if (flags !== 0n) return -errno.EINVAL;
    return map.visitAll((key, value) => {
      const args = [map.handle, BigInt(key), BigInt(value), context];
      return call.engine.callFunction(callback, args) === 0n;
    });
  },
  bpf_spin_lock: (call) => {
    const word = call.bytes(1, 4, true);
    if (word[0] !== 0) throw new Fault("bad-argument", "deadlock: the spin lock is held already");
    word[0] = 1;
    return 0;
  },
  bpf_spin_unlock: (call) => {
    call.bytes(1, 4, true)[0] = 0;
    return 0;
  },
  bpf_kptr_xchg: (call) => {
    const { memory, kernel } = call;
    const at = memory.check(call.arg(1), 8, true);
    const old = memory.load(at, 8, kernel.little);
    memory.store(at, 8, call.arg(2), kernel.little);
    return old;
  },
};
