"""Runs sequences of bpf(2) calls on the running kernel. Never attaches anything.
Standard input: a JSON list of sequences, each a list of {"cmd": number, "fields": [[offset, size,
value]]} where a value is a number, {"fd": index of an earlier call of the sequence}, {"buf": hex}
or {"text": string}; {"close": index} closes a descriptor, {"unlink": path} removes a pin.
Standard output: per sequence the list of results, each {"ret": descriptor or 0 as 0, or -errno,
"bufs": [hex of each buffer after the call]}."""
import ctypes
import json
import os
import platform
import sys

SYSCALLS = {"x86_64": 321, "aarch64": 280}
libc = ctypes.CDLL(None, use_errno=True)


def run(call, fds, keep):
    attr = bytearray(168)
    buffers = []
    for offset, size, value in call["fields"]:
        if isinstance(value, dict):
            if "fd" in value:
                value = fds[value["fd"]]
            else:
                data = bytes.fromhex(value["buf"]) if "buf" in value else value["text"].encode() + b"\0"
                if "map" in value:
                    # References to maps get the descriptor of that call.
                    data = bytearray(data)
                    for at in range(0, len(data), 8):
                        if data[at] == 0x18 and data[at + 1] >> 4 == 1:
                            data[at + 4:at + 8] = fds[value["map"]].to_bytes(4, "little")
                if size < 8 or value.get("inline"):
                    attr[offset:offset + len(data)] = data
                    continue
                buffer = ctypes.create_string_buffer(bytes(data), max(1, len(data)))
                keep.append(buffer)
                if "buf" in value:
                    buffers.append((buffer, len(data)))
                value = ctypes.addressof(buffer)
        attr[offset:offset + size] = (value & ((1 << (8 * size)) - 1)).to_bytes(size, "little")
    raw = ctypes.create_string_buffer(bytes(attr), len(attr))
    result = libc.syscall(SYSCALLS[platform.machine()], call["cmd"], raw, len(attr))
    error = ctypes.get_errno()
    return result, error, [b.raw[:n].hex() for b, n in buffers]


results = []
for sequence in json.load(sys.stdin):
    fds, keep, answers = [], [], []
    for call in sequence:
        if "close" in call:
            os.close(fds[call["close"]])
            fds.append(-1)
            answers.append({"ret": 0, "bufs": []})
            continue
        if "unlink" in call:
            os.unlink(call["unlink"])
            fds.append(-1)
            answers.append({"ret": 0, "bufs": []})
            continue
        result, error, buffers = run(call, fds, keep)
        fds.append(result)
        answers.append({"ret": 0 if result >= 0 else -error, "bufs": buffers})
    for fd in set(fds):
        if fd > 2:
            try:
                os.close(fd)
            except OSError:
                pass
    results.append(answers)
json.dump(results, sys.stdout)
