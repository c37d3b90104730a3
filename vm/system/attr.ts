/**
 * The attributes of bpf(2) as a plain object: the fields of union bpf_attr by their names, buffers
 * as Uint8Array, out-fields assigned by the call. Nested groups have their group's name in front of
 * the field (`batch.count` is `batch_count`). Source: include/uapi/linux/bpf.h of Linux 6.18.
 */
import type { BpfObject } from "./objects.ts";

/** Fields that are numbers; absent means 0. */
export type NumberField =
  | "map_type"
  | "key_size"
  | "value_size"
  | "max_entries"
  | "map_flags"
  | "inner_map_fd"
  | "numa_node"
  | "btf_fd"
  | "btf_key_type_id"
  | "btf_value_type_id"
  | "map_fd"
  | "batch_count"
  | "prog_type"
  | "insn_cnt"
  | "log_level"
  | "prog_flags"
  | "expected_attach_type"
  | "prog_btf_fd"
  | "func_info_rec_size"
  | "line_info_rec_size"
  | "attach_btf_id"
  | "bpf_fd"
  | "file_flags"
  | "target_fd"
  | "target_ifindex"
  | "attach_bpf_fd"
  | "attach_type"
  | "attach_flags"
  | "replace_bpf_fd"
  | "prog_fd"
  | "retval"
  | "data_size_out"
  | "ctx_size_out"
  | "repeat"
  | "duration"
  | "test_flags"
  | "cpu"
  | "start_id"
  | "next_id"
  | "prog_id"
  | "map_id"
  | "btf_id"
  | "link_id"
  | "open_flags"
  | "btf_log_level"
  | "link_fd"
  | "new_prog_fd"
  | "old_prog_fd"
  | "stats_type"
  | "pid"
  | "fd"
  | "buf_len"
  | "fd_type"
  | "bpffs_fd"
  | "stream_id"
  | "iter_map_fd"
  | "netfilter_pf"
  | "netfilter_hooknum"
  | "netfilter_priority"
  | "prog_cnt";

export type BigField = "flags" | "elem_flags" | "map_extra" | "probe_offset" | "probe_addr";
export type TextField = "map_name" | "prog_name" | "license" | "pathname" | "raw_tp_name" | "log";
export type BufferField =
  | "key"
  | "value"
  | "next_key"
  | "in_batch"
  | "out_batch"
  | "keys"
  | "values"
  | "insns"
  | "func_info"
  | "line_info"
  | "data_in"
  | "data_out"
  | "ctx_in"
  | "ctx_out"
  | "btf"
  | "buf"
  | "stream_buf";

export type BpfAttr = { [Field in NumberField]?: number } & {
  [Field in BigField]?: bigint;
} & { [Field in TextField]?: string } & { [Field in BufferField]?: Uint8Array } & {
  fd_array?: readonly number[];
  /** Filled by BPF_OBJ_GET_INFO_BY_FD: the fields of struct bpf_{prog,map,btf,link}_info. */
  info?: Record<string, number | bigint | string | readonly number[]>;
  prog_ids?: number[];
};

export type AttrField = keyof BpfAttr;

/** What a command gets for a descriptor: the object, or the errno that it answers with. */
export type Found<Kind extends BpfObject["kind"]> = Extract<BpfObject, { kind: Kind }> | number;
