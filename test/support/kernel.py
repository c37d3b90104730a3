"""Asks the running kernel: loads programs through raw bpf(2), runs them by BPF_PROG_TEST_RUN, dumps
their maps. Never attaches anything; everything is gone when the process ends.

Standard input: one JSON object, {"jobs": [job, ...]}; with "rounds": n all jobs are loaded together and
run in turns, n times. A job is a portable case (see test/README.md):
  prog_type, expected_attach_type, prog_flags, license, insns (hex, little endian),
  maps: [{type, key_size, value_size, max_entries, map_flags, inner, btf_key_type_id,
          btf_value_type_id, map_extra, data (hex), entries: [[key hex, value hex]], progs: {index: job index}}]
  btf (hex), func_info [[insn_off, type_id]], attach_btf_id, log_level
  runs: [{data (hex), ctx (hex), repeat}], dump: bool
  variants: [insns (hex)]: other programs for the same maps and types, judged instead of insns
A ld_imm64 with src_reg 1 or 2 carries the index of its map.
Standard output: {"available": bool, "reason": str, "results": [{verdict, errno, log, runs: [...], maps: [...]}]}
"""
import ctypes
import json
import os
import platform
import struct
import sys

MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, MAP_NEXT_KEY, PROG_LOAD, TEST_RUN, BTF_LOAD, MAP_FREEZE = 0, 1, 2, 4, 5, 10, 18, 22
SYSCALLS = {"x86_64": 321, "aarch64": 280}
LOG_SIZE = 1 << 22
log_buffer = ctypes.create_string_buffer(LOG_SIZE)
PER_CPU = {5, 6, 10, 21}
NO_LOOKUP = {3, 4, 8, 12, 13, 14, 15, 16, 17, 18, 26, 27, 31, 33}
NO_BTF = {3, 4, 7, 8, 12, 13, 14, 15, 16, 17, 18, 25, 27, 33}

libc = ctypes.CDLL(None, use_errno=True)
keep = []


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(bytes(attr), len(attr))
    result = libc.syscall(SYSCALLS[platform.machine()], command, buffer, len(attr))
    return (result, 0, buffer.raw) if result >= 0 else (-1, ctypes.get_errno(), buffer.raw)


def address(data):
    buffer = ctypes.create_string_buffer(bytes(data), max(len(data), 1))
    keep.append(buffer)
    return ctypes.addressof(buffer)


def load_btf(blob):
    fd, error, _ = bpf(BTF_LOAD, struct.pack("<QQIII", address(blob), 0, len(blob), 0, 0))
    if fd < 0:
        # Only a refusal is asked for its reason: the log of large BTF does not fit.
        log = ctypes.create_string_buffer(1 << 20)
        attr = struct.pack("<QQIII", address(blob), ctypes.addressof(log), len(blob), 1 << 20, 1)
        bpf(BTF_LOAD, attr)
        raise OSError(error, "BTF_LOAD: " + log.value.decode()[-400:])
    return fd


def create_map(spec, inner_fd, btf_fd):
    kind = spec["type"]
    kernel_type = spec.get("btf_vmlinux_value_type_id", 0)
    use_btf = btf_fd >= 0 and spec.get("btf_value_type_id") and kind not in NO_BTF and not kernel_type
    name = "".join(c if c.isalnum() or c in "_." else "_" for c in spec.get("name", "m"))[:15].encode()

    def attempt(with_btf):
        attr = struct.pack(
            "<IIIIIII16sIIIII", kind, spec["key_size"], spec["value_size"], spec["max_entries"],
            spec.get("map_flags", 0), inner_fd, 0, name, 0, btf_fd if with_btf or kernel_type else 0,
            spec.get("btf_key_type_id", 0) if with_btf else 0,
            spec["btf_value_type_id"] if with_btf else 0, kernel_type)
        return bpf(MAP_CREATE, attr + struct.pack("<Q", spec.get("map_extra", 0)))

    fd, error, _ = attempt(use_btf)
    if fd < 0 and use_btf:
        fd, error, _ = attempt(False)
    if fd < 0:
        raise OSError(error, "MAP_CREATE %s" % spec.get("name", kind))
    if spec.get("data") is not None:
        data = bytes.fromhex(spec["data"]).ljust(spec["value_size"], b"\0")
        update(fd, b"\0" * 4, data)
        if spec.get("map_flags", 0) & 128:
            bpf(MAP_FREEZE, struct.pack("<I", fd))
    return fd


def update(fd, key, value, flags=0):
    result, error, _ = bpf(MAP_UPDATE, struct.pack("<IIQQQ", fd, 0, address(key), address(value), flags))
    if result < 0:
        raise OSError(error, "MAP_UPDATE")


def possible_cpus():
    with open("/sys/devices/system/cpu/possible") as file:
        return int(file.read().strip().split("-")[-1].split(",")[-1]) + 1


def dump_map(fd, spec):
    if spec["type"] in NO_LOOKUP or spec["key_size"] == 0:
        return None
    stride = (spec["value_size"] + 7) // 8 * 8
    size = stride * possible_cpus() if spec["type"] in PER_CPU else spec["value_size"]
    entries, key = [], None
    while len(entries) < 100000:
        following = ctypes.create_string_buffer(spec["key_size"])
        keyp = address(key) if key is not None else 0
        result, _, _ = bpf(MAP_NEXT_KEY, struct.pack("<IIQQ", fd, 0, keyp, ctypes.addressof(following)))
        if result < 0:
            break
        key = following.raw
        value = ctypes.create_string_buffer(size)
        result, _, _ = bpf(MAP_LOOKUP, struct.pack("<IIQQQ", fd, 0, address(key), ctypes.addressof(value), 0))
        if result >= 0:
            entries.append([key.hex(), value.raw.hex()])
        del keep[64:]
    return entries


def fix_maps(code, fds):
    code = bytearray(code)
    index = 0
    while index < len(code) // 8:
        if code[index * 8] != 0x18:
            index += 1
            continue
        if code[index * 8 + 1] >> 4 in (1, 2):
            which = struct.unpack_from("<i", code, index * 8 + 4)[0]
            if 0 <= which < len(fds):
                struct.pack_into("<i", code, index * 8 + 4, fds[which])
        index += 2
    return bytes(code)


def load_program(job, fds, btf_fd):
    code = fix_maps(bytes.fromhex(job["insns"]), fds)
    info = job.get("func_info") if btf_fd >= 0 else None
    infos = b"".join(struct.pack("<II", *row) for row in info) if info else b""
    level = job.get("log_level", 4)
    log = log_buffer
    log[0] = b"\0"
    attr = struct.pack(
        "<IIQQIIQII16sIIIIQIIQIIIIQQII", job["prog_type"], len(code) // 8, address(code),
        address(job.get("license", "GPL").encode() + b"\0"), level, LOG_SIZE if level else 0,
        ctypes.addressof(log) if level else 0, 0x061200, job.get("prog_flags", 0), b"bpfc", 0,
        job.get("expected_attach_type", 0), btf_fd if info else 0, 8 if info else 0,
        address(infos) if info else 0, len(info) if info else 0, 0, 0, 0, job.get("attach_btf_id", 0),
        0, 0, 0, 0, 0, 0)
    fd, error, _ = bpf(PROG_LOAD, attr)
    return fd, error, log.value.decode("latin1")


def test_run(fd, run):
    data, ctx = bytes.fromhex(run.get("data", "")), bytes.fromhex(run.get("ctx", ""))
    out = ctypes.create_string_buffer(len(data) + 4096)
    ctx_out = ctypes.create_string_buffer(len(ctx) or 1)
    attr = struct.pack(
        "<IIIIQQIIIIQQIII", fd, 0, len(data), len(out) if data else 0, address(data) if data else 0,
        ctypes.addressof(out) if data else 0, run.get("repeat", 1) if run.get("repeat", 1) else 0, 0,
        len(ctx), len(ctx) if ctx else 0, address(ctx) if ctx else 0,
        ctypes.addressof(ctx_out) if ctx else 0, 0, 0, 0)
    if run.get("plain"):
        attr = struct.pack("<IIIIQQIIIIQQIII", fd, 0, 0, 0, 0, 0, 0, 0, len(ctx), 0, address(ctx) if ctx else 0, 0, 0, 0, 0)
    result, error, raw = bpf(TEST_RUN, attr + b"\0" * 4)
    if result < 0:
        return {"errno": error}
    retval, _, size = struct.unpack_from("<III", raw, 4)
    duration = struct.unpack_from("<I", raw, 36)[0]
    return {"errno": 0, "retval": retval, "data": out.raw[:size].hex() if data else "", "ctx": ctx_out.raw.hex() if ctx else "", "duration": duration}


def create_maps(specs, btf_fd):
    fds = [None] * len(specs)
    order = sorted(range(len(specs)), key=lambda i: specs[i].get("inner", -1) >= 0)
    for index in order:
        inner = specs[index].get("inner", -1)
        fds[index] = create_map(specs[index], fds[inner] if inner >= 0 else 0, btf_fd)
    for index in order:
        for key, value in specs[index].get("entries", []):
            update(fds[index], bytes.fromhex(key), bytes.fromhex(value))
        for key, which in specs[index].get("map_slots", []):
            update(fds[index], bytes.fromhex(key), struct.pack("<I", fds[which]))
    return fds


def judge_variant(job, insns, fds, btf_fd):
    """Other instructions with the same maps and types: loaded and closed."""
    fd, error, log = load_program(dict(job, insns=insns), fds, btf_fd)
    del keep[:]
    if fd < 0:
        return {"verdict": "reject", "errno": error, "log": log}
    os.close(fd)
    return {"verdict": "accept", "errno": 0, "log": log}


def close(opened):
    for one in opened:
        if one is not None:
            os.close(one)


def open_job(job, opened):
    """The loaded program's descriptor, its maps' ones and the log; or the result of a refusal."""
    try:
        btf_fd = load_btf(bytes.fromhex(job["btf"])) if job.get("btf") else -1
        if btf_fd >= 0:
            opened.append(btf_fd)
        specs = job.get("maps", [])
        fds = create_maps(specs, btf_fd)
        opened += fds
        if "variants" in job:
            return {"verdict": "accept", "errno": 0, "log": "", "variants": [judge_variant(job, insns, fds, btf_fd) for insns in job["variants"]]}, None
        fd, error, log = load_program(job, fds, btf_fd)
        if fd < 0:
            return {"verdict": "reject", "errno": error, "log": log}, None
        opened.append(fd)
        for tail in job.get("tails", []):
            tail_fd, tail_error, tail_log = load_program(dict(job, **tail), fds, btf_fd)
            if tail_fd < 0:
                return {"verdict": "reject", "errno": tail_error, "log": tail_log}, None
            opened.append(tail_fd)
            update(fds[tail["map"]], struct.pack("<I", tail["index"]), struct.pack("<I", tail_fd))
        return {"verdict": "accept", "errno": 0, "log": log, "runs": [], "maps": []}, (fd, fds)
    except OSError as error:
        return {"verdict": "error", "errno": error.errno, "log": str(error)}, None


def run_jobs(jobs, rounds):
    """All programs are loaded first; then each round runs all of them, one after the other."""
    opened = []
    loaded = [open_job(job, opened) for job in jobs]
    for _ in range(rounds):
        for job, (result, handles) in zip(jobs, loaded):
            if handles is not None:
                result["runs"] += [test_run(handles[0], run) for run in job.get("runs", [])]
                del keep[64:]
    for job, (result, handles) in zip(jobs, loaded):
        if handles is not None and job.get("dump"):
            result["maps"] = [dump_map(f, s) for f, s in zip(handles[1], job.get("maps", []))]
    close(opened)
    keep.clear()
    return [result for result, _ in loaded]


def run_job(job):
    return run_jobs([job], 1)[0]


def availability():
    if platform.machine() not in SYSCALLS:
        return "no bpf() system call number known for " + platform.machine()
    trivial = {"prog_type": 1, "insns": "b7000000000000009500000000000000"}
    result = run_job(trivial)
    if result["verdict"] == "accept":
        return ""
    return "bpf() is not permitted here (errno %d)" % result["errno"]


def main():
    request = json.load(sys.stdin)
    reason = availability()
    jobs = [] if reason else request["jobs"]
    rounds = request.get("rounds")
    results = run_jobs(jobs, rounds) if rounds else [run_job(job) for job in jobs]
    with open("/proc/self/comm") as comm:
        process = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid(), "comm": comm.read().strip()}
    json.dump({"available": not reason, "reason": reason, "results": results, "process": process}, sys.stdout)


main()
