/** Local storage of sockets, tasks, inodes and cgroups. */
import { errno } from "../errno.ts";
import { LocalStorageMap } from "../maps/local-storage.ts";
import type { Helper } from "./helper-call.ts";

const createFlag = 1n;

/** `(map, owner, initial value, flags)`: the value's address, or 0. */
const get: Helper = (call) => {
  const map = call.mapOf(1, LocalStorageMap);
  const [owner, initial, flags] = [call.arg(2), call.arg(3), call.arg(4)];
  if (owner === 0n || (flags & ~createFlag) !== 0n) return 0;
  const create = flags === createFlag;
  const value = create && initial !== 0n ? call.copy(3, map.description.valueSize) : undefined;
  return map.get(owner, create, value);
};

const remove: Helper = (call) => {
  const owner = call.arg(2);
  return owner === 0n ? -errno.EINVAL : call.mapOf(1, LocalStorageMap).deleteOwner(owner);
};

export const storageHelpers: Readonly<Record<string, Helper>> = {
  bpf_sk_storage_get: get,
  bpf_sk_storage_delete: remove,
  bpf_task_storage_get: get,
  bpf_task_storage_delete: remove,
  bpf_inode_storage_get: get,
  bpf_inode_storage_delete: remove,
  bpf_cgrp_storage_get: get,
  bpf_cgrp_storage_delete: remove,
};
