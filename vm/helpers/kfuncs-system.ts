/**
 * Kernel functions on what a simulated kernel has little of: connections that are tracked, tasks,
 * files, keys, cryptography, metadata of network cards. What is not there is reported as Linux does
 * where it is not configured.
 */
import { errno } from "../errno.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { readDynptr } from "./dynptr.ts";
import type { Helper, HelperCall } from "./helper-call.ts";
import { readString } from "./memory.ts";

const none: Helper = () => 0;
const unsupported: Helper = () => -errno.EOPNOTSUPP;
const first: Helper = (call) => call.arg(1);

/** Tracked connections, by protocol and tuple. */
const connections = new WeakMap<Kernel, Map<string, number>>();

function connectionsOf(kernel: Kernel): Map<string, number> {
  const known = connections.get(kernel);
  if (known !== undefined) return known;
  const made = new Map<string, number>();
  connections.set(kernel, made);
  return made;
}

/** struct bpf_ct_opts. */
const optionFields = { error: 4, protocol: 8 } as const;
const optionSizes: readonly number[] = [12, 16];
/** Of struct bpf_sock_tuple for IPv4 and IPv6. */
const tupleSizes: readonly number[] = [12, 36];
const tcp = 6;
const udp = 17;
const connectionSize = 256;

/** The key of `(ctx, tuple, its size, opts, their size)`, or what is wrong with it. */
function tupleKey(call: HelperCall): string | number {
  const size = call.low(3);
  if (!optionSizes.includes(call.low(5))) return -errno.EINVAL;
  const protocol = call.memory.bytes[call.address(4, 12, true) + optionFields.protocol];
  if (protocol !== tcp && protocol !== udp) return -errno.EPROTO;
  if (!tupleSizes.includes(size)) return -errno.EAFNOSUPPORT;
  return `${protocol} ${call.bytes(2, size).join()}`;
}

function setError(call: HelperCall, error: number): number {
  const at = call.address(4, 12, true) + optionFields.error;
  call.memory.view.setInt32(at, error, call.kernel.little);
  return 0;
}

const lookupConnection: Helper = (call) => {
  const key = tupleKey(call);
  if (typeof key === "number") return setError(call, key);
  return connectionsOf(call.kernel).get(key) ?? setError(call, -errno.ENOENT);
};

/** Keys of connections that are allocated and not yet inserted. */
const pending = new WeakMap<Kernel, Map<number, string>>();

const allocateConnection: Helper = (call) => {
  const key = tupleKey(call);
  if (typeof key === "number") return setError(call, key);
  const address = call.memory.region("kernel object", "nf_conn", connectionSize);
  const waiting = pending.get(call.kernel) ?? new Map<number, string>();
  pending.set(call.kernel, waiting.set(address, key));
  return address;
};

const insertConnection: Helper = (call) => {
  const address = call.low(1);
  const key = pending.get(call.kernel)?.get(address);
  if (key === undefined) return 0;
  pending.get(call.kernel)?.delete(address);
  const known = connectionsOf(call.kernel);
  if (known.has(key)) return 0;
  known.set(key, address);
  return address;
};

const connectionKfuncs: Readonly<Record<string, Helper>> = {
  bpf_xdp_ct_lookup: lookupConnection,
  bpf_skb_ct_lookup: lookupConnection,
  bpf_xdp_ct_alloc: allocateConnection,
  bpf_skb_ct_alloc: allocateConnection,
  bpf_ct_insert_entry: insertConnection,
  bpf_ct_release: none,
  bpf_ct_set_timeout: none,
  bpf_ct_change_timeout: none,
  bpf_ct_set_status: none,
  bpf_ct_change_status: none,
  bpf_ct_set_nat_info: none,
};

/** An iterator over nothing, whose `new` succeeds. */
const emptyIterator = (name: string): Record<string, Helper> => ({
  [`bpf_iter_${name}_new`]: none,
  [`bpf_iter_${name}_next`]: none,
  [`bpf_iter_${name}_destroy`]: none,
});

const taskStructSize = 4096;

/** struct bpf_iter_task: a word that says whether the one task is still to come. */
const taskIterator: Readonly<Record<string, Helper>> = {
  bpf_iter_task_new: (call) => {
    const at = call.address(1, 8, true);
    const isKnown = call.low(3) <= 2;
    call.memory.view.setUint32(at, isKnown ? 1 : 0, true);
    return isKnown ? 0 : -errno.EINVAL;
  },
  bpf_iter_task_next: (call) => {
    const at = call.address(1, 8, true);
    const isLeft = call.memory.view.getUint32(at, true) === 1;
    call.memory.view.setUint32(at, 0, true);
    return isLeft ? call.kernel.object("task_struct", taskStructSize) : 0;
  },
  bpf_iter_task_destroy: none,
};

/** `(dynptr, offset, size, unsafe pointer)`. */
const probeToDynptr =
  (isText: boolean): Helper =>
  (call) => {
    const pointer = readDynptr(call, call.arg(1));
    const [offset, size] = [call.low(2), call.low(3)];
    if (pointer.data === 0 || pointer.readOnly) return -errno.EINVAL;
    if (offset + size > pointer.size) return -errno.E2BIG;
    const to = pointer.data + offset;
    if (isText) {
      const text = readString(call, call.arg(4), size);
      if (text === undefined) return -errno.EFAULT;
      call.memory.bytes.set(text, to);
      return text.length;
    }
    const from = call.arg(4);
    const isThere = from < 0x1_0000_0000n && call.memory.isAccessible(Number(from), size, false);
    if (!isThere) return -errno.EFAULT;
    call.memory.copy(to, Number(from), size);
    return 0;
  };

/** `(dst, size, unsafe string, flags)`: BPF_F_PAD_ZEROS (1) fills the rest. */
const copyUserString: Helper = (call) => {
  const [size, flags] = [call.low(2), call.arg(4)];
  if ((flags & ~1n) !== 0n) return -errno.EINVAL;
  const target = call.bytes(1, size, true);
  if (size === 0) return 0;
  const text = readString(call, call.arg(3), size);
  if (text === undefined) {
    if (flags === 1n) target.fill(0);
    return -errno.EFAULT;
  }
  target.set(text);
  if (flags === 1n) target.fill(0, text.length);
  return text.length;
};

const probes: Readonly<Record<string, Helper>> = {
  bpf_probe_read_kernel_dynptr: probeToDynptr(false),
  bpf_probe_read_user_dynptr: probeToDynptr(false),
  bpf_copy_from_user_dynptr: probeToDynptr(false),
  bpf_copy_from_user_task_dynptr: probeToDynptr(false),
  bpf_probe_read_kernel_str_dynptr: probeToDynptr(true),
  bpf_probe_read_user_str_dynptr: probeToDynptr(true),
  bpf_copy_from_user_str_dynptr: probeToDynptr(true),
  bpf_copy_from_user_task_str_dynptr: probeToDynptr(true),
  bpf_copy_from_user_str: copyUserString,
};

/** What needs parts of a kernel that are not simulated. */
const absent: Readonly<Record<string, Helper>> = {
  /** Drivers without support answer the same. */
  bpf_xdp_metadata_rx_timestamp: unsupported,
  bpf_xdp_metadata_rx_hash: unsupported,
  bpf_xdp_metadata_rx_vlan_tag: unsupported,
  bpf_crypto_ctx_create: (call) => {
    const at = call.address(3, 4, true);
    call.memory.view.setInt32(at, -errno.EOPNOTSUPP, call.kernel.little);
    return 0;
  },
  bpf_crypto_ctx_acquire: first,
  bpf_crypto_ctx_release: none,
  bpf_crypto_encrypt: () => -errno.EINVAL,
  bpf_crypto_decrypt: () => -errno.EINVAL,
  bpf_lookup_user_key: none,
  bpf_lookup_system_key: none,
  bpf_key_put: none,
  bpf_verify_pkcs7_signature: unsupported,
  bpf_get_task_exe_file: none,
  bpf_put_file: none,
  bpf_path_d_path: () => -errno.EINVAL,
  bpf_get_file_xattr: unsupported,
  bpf_get_dentry_xattr: unsupported,
  bpf_set_dentry_xattr: unsupported,
  bpf_remove_dentry_xattr: unsupported,
  bpf_cgroup_read_xattr: unsupported,
  bpf_get_fsverity_digest: unsupported,
  bpf_get_kmem_cache: none,
  bpf_sock_destroy: unsupported,
  bpf_sock_ops_enable_tx_tstamp: unsupported,
  bpf_sk_assign_tcp_reqsk: unsupported,
  bpf_xdp_get_xfrm_state: none,
  bpf_xdp_xfrm_state_release: none,
  bpf_task_get_cgroup1: none,
  bpf_send_signal_task: none,
  bpf_session_is_return: none,
  css_rstat_updated: none,
  css_rstat_flush: none,
};

export const systemKfuncs: Readonly<Record<string, Helper>> = {
  ...connectionKfuncs,
  ...taskIterator,
  ...emptyIterator("css"),
  ...emptyIterator("css_task"),
  ...emptyIterator("dmabuf"),
  ...emptyIterator("kmem_cache"),
  ...emptyIterator("task_vma"),
  ...probes,
  ...absent,
  /** All of a packet is in one piece. */
  bpf_xdp_pull_data: (call) => (call.low(2) > call.packet.length ? -errno.EINVAL : 0),
};
