"""Runs sequences of map operations through bpf(2). Standard input: a JSON list of
{"map": [type, key size, value size, max entries, flags], "size": bytes of a value for user space,
"ops": [{"op", "k" (hex), "v" (hex), "f"}]}; standard output: per map its list of results, each a
negative errno, 0, a value in hex or (for "keys") a list of keys. A map that cannot be created
gives its errno instead of a list. With "handles", a value is the number of an object, or one too high,
which stands for a descriptor that is not open; what is read back is shown as "object". With "owners",
keys are such numbers. The process runs on one CPU."""
import ctypes
import json
import os
import platform
import socket
import struct
import sys

CREATE, LOOKUP, UPDATE, DELETE, NEXT_KEY, PROG_LOAD, BTF_LOAD, LOOKUP_AND_DELETE = 0, 1, 2, 3, 4, 5, 18, 21
SYSCALLS = {"x86_64": 321, "aarch64": 280}
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr, len(attr))
    result = libc.syscall(SYSCALLS[platform.machine()], command, buffer, len(attr))
    return result if result >= 0 else -ctypes.get_errno()


def address(buffer):
    return ctypes.addressof(buffer)


def all_keys(fd, key_size):
    keys, key = [], 0
    while len(keys) < 1000:
        following = ctypes.create_string_buffer(max(1, key_size))
        result = bpf(NEXT_KEY, struct.pack("<IIQQ", fd, 0, key and address(key), address(following)))
        if result < 0:
            return keys if result == -2 and keys else keys + [result]
        key = following
        keys.append(key.raw[:key_size].hex())
    return keys


def run(fd, op, key_size, value_size, job):
    key_bytes = bytes.fromhex(op["k"])
    if job.get("owners"):
        key_bytes = struct.pack("<i", descriptor(job["owners"], key_bytes[0]))
    key = ctypes.create_string_buffer(key_bytes, max(1, key_size))
    where = address(key) if key_size else 0
    if op["op"] == "keys":
        return all_keys(fd, key_size)
    if op["op"] == "delete":
        return bpf(DELETE, struct.pack("<IIQ", fd, 0, where))
    content = bytes.fromhex(op.get("v", ""))
    if job.get("handles") and op["op"] == "update":
        content = struct.pack("<q", descriptor(job["handles"], content[0]))[:value_size]
    value = ctypes.create_string_buffer(content, value_size)
    attr = struct.pack("<IIQQQ", fd, 0, where, address(value), op.get("f", 0))
    if op["op"] == "update":
        return bpf(UPDATE, attr)
    result = bpf(LOOKUP if op["op"] == "lookup" else LOOKUP_AND_DELETE, attr)
    if result >= 0 and job.get("handles"):
        return "object"
    return value.raw.hex() if result >= 0 else result


kept = []


def load_program(kind):
    code = ctypes.create_string_buffer(bytes.fromhex("b7000000000000009500000000000000"))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("<IIQQIIQII", kind, 2, address(code), address(licence), 0, 0, 0, 0, 0))


def create(kind, key_size, value_size, entries, flags, inner=0, btf=0):
    key_type, value_type = (1, 2) if btf else (0, 0)
    attr = struct.pack("<IIIIIII16sIIIIIQ", kind, key_size, value_size, entries, flags, inner, 0, b"m", 0,
                       btf, key_type, value_type, 0, 0)
    return bpf(CREATE, attr)


def listening(kind):
    one = socket.socket(socket.AF_INET, kind)
    kept.append(one)
    one.setsockopt(socket.SOL_SOCKET, 15, 1)
    one.bind(("127.0.0.1", 0))
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one.fileno()


def make_objects(kind):
    if kind == "program":
        return [load_program(6), load_program(6)]
    if kind == "map":
        return [create(2, 4, 8, 1, 0), create(2, 4, 8, 1, 0)]
    if kind == "cgroup":
        return [os.open("/sys/fs/cgroup", os.O_RDONLY)]
    if kind == "socket":
        return [listening(socket.SOCK_STREAM), listening(socket.SOCK_DGRAM)]
    if kind == "file":
        return [os.open("/", os.O_RDONLY), os.open("/etc", os.O_RDONLY)]
    if kind == "task":
        return [libc.syscall(434, os.getpid(), 0), libc.syscall(434, os.getppid(), 0)]
    return []


objects = {}


def descriptor(kind, index):
    if kind not in objects:
        objects[kind] = make_objects(kind)
    return objects[kind][index] if index < len(objects[kind]) else 1 << 20


def load_btf():
    types = struct.pack("<IIII", 1, 1 << 24, 4, 32) + struct.pack("<IIII", 5, 1 << 24, 8, 64)
    names = b"\0u32\0u64\0"
    blob = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(names)) + types + names
    buffer = ctypes.create_string_buffer(blob, len(blob))
    return bpf(BTF_LOAD, struct.pack("<QQIII", address(buffer), 0, len(blob), 0, 0))


os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
results = []
for job in json.load(sys.stdin):
    kind, key_size, value_size, entries, flags = job["map"]
    # What an earlier map left on a socket goes away some time after the map.
    objects.pop("socket", None)
    inner = descriptor("map", 0) if job.get("inner") else 0
    fd = create(kind, key_size, value_size, entries, flags, inner, load_btf() if job.get("btf") else 0)
    if fd < 0:
        results.append(fd)
        continue
    results.append([run(fd, op, key_size, job["size"], job) for op in job["ops"]])
    os.close(fd)
json.dump(results, sys.stdout)
