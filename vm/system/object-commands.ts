/** What all objects have in common: ids, information, pins; and BTF. */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { readBtf } from "../../common/object/btf-reader.ts";
import { errno } from "../errno.ts";
import type { BpfAttr } from "./attr.ts";
import { type Command, objectOf } from "./command.ts";
import { accessOf } from "./map-commands.ts";
import type { BpfObject, BtfObject, MapAccess, ObjectKind } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

const maximumId = 0x7fffffff;

function nextId(kind: ObjectKind): Command {
  return {
    fields: ["start_id", "next_id"],
    run: ({ handles }, attr) => {
      const start = attr.start_id ?? 0;
      if (start >= maximumId) return -errno.EINVAL;
      const id = handles.nextId(kind, start);
      if (id === undefined) return -errno.ENOENT;
      attr.next_id = id;
      return 0;
    },
  };
}

type IdField = "prog_id" | "map_id" | "btf_id" | "link_id";

function openById(kind: ObjectKind, field: IdField): Command {
  const takesFlags = kind === "map";
  return {
    fields: takesFlags ? [field, "open_flags"] : [field],
    run: ({ handles }, attr) => {
      const access = accessOf(attr.open_flags ?? 0);
      if (access === undefined || ((attr.open_flags ?? 0) & ~0x18) !== 0) return -errno.EINVAL;
      const object = handles.byId(kind, attr[field] ?? 0);
      return object === undefined ? -errno.ENOENT : handles.open(object, access);
    },
  };
}

type Info = NonNullable<BpfAttr["info"]>;

const linkTypes: Readonly<Record<string, number>> = {
  "raw-tracepoint": 1,
  cgroup: 3,
  iterator: 4,
  "perf-event": 7,
  netfilter: 10,
  netns: 5,
  device: 6,
  tracepoint: 7,
  function: 7,
};
const tcxLink = 11;

function linkType(hook: Extract<BpfObject, { kind: "link" }>["hook"]): number {
  if (hook?.kind === "device" && hook.point !== "xdp") return tcxLink;
  return hook === undefined ? 0 : (linkTypes[hook.kind] ?? 0);
}

/** The fields of struct bpf_prog_info and its like that a simulated kernel has. */
function infoOf(object: BpfObject): Info | undefined {
  switch (object.kind) {
    case "map": {
      const { name, type, keySize, valueSize, maxEntries, flags, extra } = object.map.description;
      return {
        type,
        id: object.id,
        key_size: keySize,
        value_size: valueSize,
        max_entries: maxEntries,
        map_flags: flags,
        name,
        btf_id: object.btf?.id ?? 0,
        btf_key_type_id: object.btfKeyType,
        btf_value_type_id: object.btfValueType,
        map_extra: extra,
      };
    }
    case "program": {
      const { spec } = object.program;
      return {
        type: spec.type,
        id: object.id,
        xlated_prog_len: spec.insns.length,
        name: spec.name,
        nr_map_ids: object.maps.length,
        map_ids: object.maps.map((map) => map.id),
        gpl_compatible: /GPL/.test(spec.license) ? 1 : 0,
        btf_id: object.btf?.id ?? 0,
        run_cnt: BigInt(object.runs),
        verified_insns: object.verifiedInsns,
      };
    }
    case "btf":
      return { btf_size: object.bytes.length, id: object.id, name: "", kernel_btf: 0 };
    case "link":
      return { type: linkType(object.hook), id: object.id, prog_id: object.program.id };
    case "cgroup":
    case "perf-event":
    case "iterator":
    case "bpffs":
    case "stats":
      return undefined;
  }
}

function getInfo({ handles }: SystemState, attr: BpfAttr): number {
  const file = handles.file(attr.bpf_fd ?? 0);
  if (file === undefined) return -errno.EBADFD;
  const info = infoOf(file.object);
  if (info === undefined) return -errno.EINVAL;
  attr.info = info;
  return 0;
}

const bpffs = "/sys/fs/bpf/";

function pin({ handles, pins }: SystemState, attr: BpfAttr): number {
  const file = handles.file(attr.bpf_fd ?? 0);
  if ((attr.file_flags ?? 0) !== 0) return -errno.EINVAL;
  if (file === undefined || infoOf(file.object) === undefined) return -errno.EINVAL;
  const path = attr.pathname ?? "";
  if (pins.has(path)) return -errno.EEXIST;
  if (!path.startsWith(bpffs)) return -errno.EPERM;
  pins.set(path, file.object);
  handles.hold(file.object);
  return 0;
}

function openPin({ handles, pins }: SystemState, attr: BpfAttr): number {
  const flags = attr.file_flags ?? 0;
  const access: MapAccess | undefined = accessOf(flags);
  if (access === undefined || (flags & ~0x18) !== 0) return -errno.EINVAL;
  const object = pins.get(attr.pathname ?? "");
  if (object === undefined) return -errno.ENOENT;
  if (object.kind === "program" && access !== "read-write") return -errno.EINVAL;
  return handles.open(object, access);
}

function loadBtf(system: SystemState, attr: BpfAttr): number {
  if (attr.btf === undefined) return -errno.EFAULT;
  const diagnostics = new Diagnostics();
  const btf = readBtf(attr.btf, diagnostics);
  if (btf === undefined || diagnostics.hasErrors) {
    attr.log = diagnostics.list.map((each) => each.message).join("\n");
    return -errno.EINVAL;
  }
  const id = system.nextBtfId;
  system.nextBtfId += 1;
  const object: BtfObject = { kind: "btf", id, bytes: attr.btf.slice(), btf };
  return system.handles.open(object, "read");
}

function bindMap(system: SystemState, attr: BpfAttr): number {
  if ((attr.flags ?? 0n) !== 0n) return -errno.EINVAL;
  const program = objectOf(system, "program", attr.prog_fd);
  if (typeof program === "number") return program;
  const map = objectOf(system, "map", attr.map_fd);
  if (typeof map === "number") return map;
  if (program.maps.includes(map)) return 0;
  (program.maps as (typeof map)[]).push(map);
  system.handles.hold(map);
  return 0;
}

function enableStats({ handles }: SystemState, attr: BpfAttr): number {
  if ((attr.stats_type ?? 0) !== 0) return -errno.EINVAL;
  return handles.open({ kind: "stats" });
}

/** By the name of the command without `BPF_`. */
export const objectCommands: Readonly<Record<string, Command>> = {
  OBJ_PIN: { fields: ["pathname", "bpf_fd", "file_flags"], run: pin },
  OBJ_GET: { fields: ["pathname", "file_flags"], run: openPin },
  OBJ_GET_INFO_BY_FD: { fields: ["bpf_fd", "info"], run: getInfo },
  PROG_GET_NEXT_ID: nextId("program"),
  MAP_GET_NEXT_ID: nextId("map"),
  BTF_GET_NEXT_ID: nextId("btf"),
  LINK_GET_NEXT_ID: nextId("link"),
  PROG_GET_FD_BY_ID: openById("program", "prog_id"),
  MAP_GET_FD_BY_ID: openById("map", "map_id"),
  BTF_GET_FD_BY_ID: openById("btf", "btf_id"),
  LINK_GET_FD_BY_ID: openById("link", "link_id"),
  BTF_LOAD: { fields: ["btf", "btf_log_level", "log"], run: loadBtf },
  PROG_BIND_MAP: { fields: ["prog_fd", "map_fd", "flags"], run: bindMap },
  ENABLE_STATS: { fields: ["stats_type"], run: enableStats },
};
