/**
 * Commands that open iterators, tell what a task's descriptor is, make tokens and read programs'
 * streams. The errno values are those of Linux 6.18.
 */
import { errno } from "../errno.ts";
import { programStreams } from "../kernel/streams.ts";
import type { BpfAttr } from "./attr.ts";
import { type Command, objectOf } from "./command.ts";
import type { Hook, ProgramObject } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

function createIterator(system: SystemState, attr: BpfAttr): number {
  if ((attr.flags ?? 0n) !== 0n) return -errno.EINVAL;
  const link = objectOf(system, "link", attr.link_fd);
  if (typeof link === "number") return link;
  if (link.hook?.kind !== "iterator") return -errno.EINVAL;
  const { program, hook } = link;
  system.handles.hold(program);
  return system.handles.open({ kind: "iterator", program, hook, rest: undefined });
}

/** enum bpf_task_fd_type. */
const fdTypes = { rawTracepoint: 0, tracepoint: 1, kprobe: 2, kretprobe: 3 } as const;

interface FdAnswer {
  readonly program: ProgramObject;
  readonly type: number;
  readonly name: string;
}

function fdAnswer(hook: Hook | undefined, program: ProgramObject): FdAnswer | undefined {
  if (hook?.kind === "raw-tracepoint") {
    return { program, type: fdTypes.rawTracepoint, name: hook.name };
  }
  if (hook?.kind === "tracepoint") {
    return { program, type: fdTypes.tracepoint, name: hook.name.replace(/^.*\//, "") };
  }
  if (hook?.kind !== "function") return undefined;
  const type = hook.when === "entry" ? fdTypes.kprobe : fdTypes.kretprobe;
  return { program, type, name: hook.name };
}

/** Copies a name with its NUL, as much as there is room for. */
function copyName(name: string, attr: BpfAttr): number {
  const bytes = new TextEncoder().encode(`${name}\0`);
  attr.buf_len = bytes.length - 1;
  const { buf } = attr;
  if (buf === undefined || buf.length === 0) return 0;
  buf.set(bytes.subarray(0, buf.length));
  if (bytes.length <= buf.length) return 0;
  buf[buf.length - 1] = 0;
  return -errno.ENOSPC;
}

function queryTaskFd(system: SystemState, attr: BpfAttr): number {
  if ((attr.flags ?? 0n) !== 0n) return -errno.EINVAL;
  if ((attr.pid ?? 0) !== system.kernel.process.pid) return -errno.ENOENT;
  const file = system.handles.file(attr.fd ?? 0);
  if (file === undefined) return -errno.EBADF;
  const { object } = file;
  let answer: FdAnswer | undefined;
  if (object.kind === "link" && object.hook?.kind === "raw-tracepoint") {
    answer = fdAnswer(object.hook, object.program);
  } else if (object.kind === "perf-event") {
    const link = system.attachments.find(
      ({ owner, hook }) => owner.kind === "link" && hook === object.hook,
    );
    if (link === undefined) return -errno.ENOENT;
    const owner = link.owner.kind === "link" ? link.owner.program : link.owner;
    answer = fdAnswer(object.hook, owner);
    if (answer === undefined) return -errno.EOPNOTSUPP;
  }
  if (answer === undefined) return -errno.ENOTSUPP;
  attr.prog_id = answer.program.id;
  attr.fd_type = answer.type;
  attr.probe_offset = 0n;
  attr.probe_addr = 0n;
  return copyName(answer.name, attr);
}

/** Only bpffs mounts that were made in another user namespace give tokens; there is none. */
function createToken({ handles }: SystemState, attr: BpfAttr): number {
  if ((attr.flags ?? 0n) !== 0n) return -errno.EINVAL;
  const file = handles.file(attr.bpffs_fd ?? 0);
  if (file === undefined) return -errno.EBADF;
  return file.object.kind === "bpffs" ? -errno.EOPNOTSUPP : -errno.EINVAL;
}

function readStream(system: SystemState, attr: BpfAttr): number {
  const program = objectOf(system, "program", attr.prog_fd);
  if (typeof program === "number") return program;
  const stream = programStreams(program.program)[attr.stream_id ?? 0];
  if (stream === undefined) return -errno.ENOENT;
  const { stream_buf: buffer = new Uint8Array(0) } = attr;
  const bytes = stream.splice(0, buffer.length);
  buffer.set(bytes);
  return bytes.length;
}

/** By the name of the command without `BPF_`. */
export const queryCommands: Readonly<Record<string, Command>> = {
  ITER_CREATE: { fields: ["link_fd", "flags"], run: createIterator },
  TASK_FD_QUERY: {
    fields: [
      "pid",
      "fd",
      "flags",
      "buf",
      "buf_len",
      "prog_id",
      "fd_type",
      "probe_offset",
      "probe_addr",
    ],
    run: queryTaskFd,
  },
  TOKEN_CREATE: { fields: ["flags", "bpffs_fd"], run: createToken },
  PROG_STREAM_READ_BY_FD: {
    fields: ["stream_buf", "stream_id", "prog_fd"],
    run: readStream,
  },
};
