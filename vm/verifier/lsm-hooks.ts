/** Security hooks: which may be attached to, where programs may sleep, and what they may return. */
import type { AttachTarget } from "./attach-target.ts";
import type { Env } from "./env.ts";
import { isGplCompatible } from "./license.ts";
import { isSleepableProgram } from "./program-variants.ts";
import type { ReturnRange } from "./state.ts";
import { errno } from "./stop.ts";

/** The kernel's functions for programs to attach to are named `bpf_lsm_` and the hook. */
const prefix = "bpf_lsm_";

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

const disabled = names(`vm_enough_memory inode_need_killpriv inode_getsecurity inode_listsecurity
  inode_copy_up_xattr getselfattr getprocattr setprocattr key_getsecurity audit_rule_match
  xfrm_decode_session ismaclabel`);

const sleepable =
  names(`bpf bpf_map bpf_map_create bpf_map_free bpf_prog bpf_prog_load bpf_token_create
  bpf_token_free bpf_token_cmd bpf_token_capable bprm_check_security bprm_committed_creds
  bprm_committing_creds bprm_creds_for_exec bprm_creds_from_file capget capset cred_prepare file_ioctl
  file_lock file_open file_post_open file_receive inode_create inode_free_security inode_getattr
  inode_getxattr inode_mknod inode_need_killpriv inode_post_setxattr inode_readlink inode_rename
  inode_rmdir inode_setattr inode_setxattr inode_symlink inode_unlink kernel_module_request
  kernel_read_file kernfs_init_security path_unlink path_mkdir path_rmdir path_truncate path_symlink
  path_link path_rename path_chmod path_chown mmap_file netlink_send path_notify release_secctx
  sb_alloc_security sb_eat_lsm_opts sb_kern_mount sb_mount sb_remount sb_set_mnt_opts sb_show_options
  sb_statfs sb_umount settime socket_accept socket_bind socket_connect socket_create
  socket_getpeername socket_getpeersec_dgram socket_getsockname socket_getsockopt socket_listen
  socket_post_create socket_recvmsg socket_sendmsg socket_shutdown socket_socketpair syslog task_alloc
  current_getsecid_subj task_getsecid_obj task_prctl task_setscheduler userns_create`);

/** Their arguments may be objects that are half made or half gone. */
const untrusted = names(`bpf_map_free bpf_prog_free file_alloc_security file_free_security
  sk_alloc_security sk_free_security task_free`);

/** They answer yes or no; all others 0 or an error. */
const booleans = names("xfrm_state_pol_flow_match audit_rule_known inode_xattr_skipcap");

const maxErrno = 4095;

function hookOf(name: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : "";
}

export function isSleepableHook(name: string): boolean {
  return sleepable.has(hookOf(name));
}

export function areArgumentsTrusted(name: string): boolean {
  return !untrusted.has(hookOf(name));
}

/** What the hook's function may return; undefined if it returns nothing. */
export function hookRange(target: AttachTarget): ReturnRange | undefined {
  if (target.proto.returns === 0) return undefined;
  const isBoolean = booleans.has(hookOf(target.name));
  return isBoolean ? { min: 0, max: 1 } : { min: -maxErrno, max: 0 };
}

/** Whether a program may be attached to the function that was found. */
export function checkHook(env: Env, target: AttachTarget): void {
  const { name } = target;
  const id = env.input.attachBtfId ?? 0;
  if (isSleepableProgram(env.input) && !isSleepableHook(name)) {
    env.reject(`${name} is not sleepable`, errno.invalid);
  }
  if (!isGplCompatible(env.input.license)) {
    env.reject("LSM programs must have a GPL compatible license", errno.invalid);
  }
  if (disabled.has(hookOf(name))) {
    env.reject(`attach_btf_id ${id} points to disabled hook ${name}`, errno.invalid);
  }
  if (hookOf(name) === "") {
    env.reject(`attach_btf_id ${id} points to wrong type name ${name}`, errno.invalid);
  }
}
