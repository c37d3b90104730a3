"""Runs sequences of map operations through bpf(2). Standard input: a JSON list of
{"map": [type, key size, value size, max entries, flags], "size": bytes of a value for user space,
"ops": [{"op", "k" (hex), "v" (hex), "f"}]}; standard output: per map its list of results, each a
negative errno, 0, a value in hex or (for "keys") a list of keys. A map that cannot be created
gives its errno instead of a list."""
import ctypes
import json
import os
import platform
import struct
import sys

CREATE, LOOKUP, UPDATE, DELETE, NEXT_KEY, LOOKUP_AND_DELETE = 0, 1, 2, 3, 4, 21
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


def run(fd, op, key_size, value_size):
    key = ctypes.create_string_buffer(bytes.fromhex(op["k"]), max(1, key_size))
    where = address(key) if key_size else 0
    if op["op"] == "keys":
        return all_keys(fd, key_size)
    if op["op"] == "delete":
        return bpf(DELETE, struct.pack("<IIQ", fd, 0, where))
    value = ctypes.create_string_buffer(bytes.fromhex(op.get("v", "")), value_size)
    attr = struct.pack("<IIQQQ", fd, 0, where, address(value), op.get("f", 0))
    if op["op"] == "update":
        return bpf(UPDATE, attr)
    result = bpf(LOOKUP if op["op"] == "lookup" else LOOKUP_AND_DELETE, attr)
    return value.raw.hex() if result >= 0 else result


results = []
for job in json.load(sys.stdin):
    kind, key_size, value_size, entries, flags = job["map"]
    fd = bpf(CREATE, struct.pack("<IIIIIII16sIIIIIQ", kind, key_size, value_size, entries, flags, 0, 0, b"m", 0, 0, 0, 0, 0, 0))
    if fd < 0:
        results.append(fd)
        continue
    results.append([run(fd, op, key_size, job["size"]) for op in job["ops"]])
    os.close(fd)
json.dump(results, sys.stdout)
