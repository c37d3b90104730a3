/**
 * The classes of rejections that people meet, by the kernel's message: what is wrong in C terms, and
 * what cures it. The first row whose pattern matches counts.
 */

export interface RejectionClass {
  /** Stable name, part of the diagnostic's code. */
  readonly name: string;
  readonly pattern: RegExp;
  /** What is wrong; `$1`… are the pattern's groups. */
  readonly cause: string;
  readonly help: string;
}

const checkPacket =
  "compare this very pointer with the end of the packet before the access: " +
  "`if ((void *)(p + 1) > data_end) return …;`, and load data and data_end again after helpers that move the packet";
const clampIndex =
  "bound the index right before it is used: `if (i >= N) return …;` or `i &= N - 1` for a power of two; " +
  'keep test and use in one variable (`asm volatile("" : "+r"(i))` stops the compiler from splitting it)';
const clampSize =
  "use an unsigned type and clamp it on both sides: `if (n > MAX) return …;`, and exclude 0 where the helper does";

export const rejectionClasses: readonly RejectionClass[] = [
  {
    name: "packet-bounds",
    pattern: /^invalid access to packet, off=(-?\d+) size=(\d+), R\d+\(id=\d+,off=-?\d+,r=(\d+)\)/,
    cause:
      "this accesses $2 byte(s) at offset $1 of a packet pointer from whose base only $3 bytes are proven to be there",
    help: checkPacket,
  },
  {
    name: "packet-bounds",
    pattern: /offset is outside of the packet/,
    cause: "this access to the packet is not proven to lie before its end",
    help: checkPacket,
  },
  {
    name: "map-value-bounds",
    pattern: /^invalid access to map value, value_size=(\d+) off=(-?\d+) size=(\d+)/,
    cause: "this may access $3 byte(s) at offset $2 of a map value that has $1 bytes",
    help: clampIndex,
  },
  {
    name: "memory-bounds",
    pattern:
      /^invalid access to (?:memory, mem_size|map key, key_size)=(\d+) off=(-?\d+) size=(\d+)/,
    cause: "this may access $3 byte(s) at offset $2 of memory that has $1 bytes",
    help: clampIndex,
  },
  {
    name: "scalar-dereference",
    pattern: /^R\d+ invalid mem access 'scalar'/,
    cause: "a number is used as an address: the verifier does not know what it points to",
    help:
      "read kernel or user memory with bpf_probe_read_kernel/bpf_probe_read_user or BPF_CORE_READ; " +
      "do not keep pointers in maps or in 32-bit variables, and do not merge pointers of different kinds",
  },
  {
    name: "maybe-null",
    pattern: /^R\d+ invalid mem access '(\w+?)_or_null'/,
    cause: "the pointer may be NULL: the result of the lookup was not tested",
    help: "test it on every path before the use: `if (!value) return 0;`",
  },
  {
    name: "maybe-null",
    pattern: /pointer arithmetic on (\w+?)_or_null prohibited/,
    cause: "arithmetic on a pointer that may be NULL",
    help: "test the pointer for NULL first, then compute with it",
  },
  {
    name: "bad-dereference",
    pattern: /^R\d+ invalid mem access '(\w+)'/,
    cause: "memory cannot be accessed through a pointer of kind '$1'",
    help: "use the pointer as it was obtained; packet end and map pointers are for comparisons and helpers only",
  },
  {
    name: "uninitialised-register",
    pattern: /^R(\d+) !read_ok/,
    cause: "register R$1 has no value here",
    help:
      "give the variable a value on every path; calls destroy r1–r5, so keep what is needed " +
      "(such as the context) in a variable before them, and pass every argument of the helper",
  },
  {
    name: "helper-argument",
    pattern: /^R(\d+) type=(\S+) expected=(.+)$/,
    cause: "argument $1 of the helper is of kind '$2'; it takes: $3",
    help: "pass what the helper documents: `&map`, a buffer on the stack or in a map, a pointer tested for NULL",
  },
  {
    name: "unbounded-size",
    pattern: /min value is negative, either use unsigned or 'var &= const'/,
    cause: "the size may be negative",
    help: clampSize,
  },
  {
    name: "unbounded-size",
    pattern: /invalid zero-sized read/,
    cause: "the size may be 0, which this helper refuses",
    help: clampSize,
  },
  {
    name: "unbounded-size",
    pattern:
      /unbounded memory access|min value is negative|unbounded min value|pointer be out of bounds/,
    cause: "the offset or size has no bound that the verifier can see",
    help: clampIndex,
  },
  {
    name: "unbounded-size",
    pattern:
      /^math between (\S+) pointer and (\S+) is not allowed|pointer offset (\S+) is not allowed/,
    cause: "the offset that is added to the pointer is too large",
    help: clampIndex,
  },
  {
    name: "helper-unavailable",
    pattern: /^program of this type cannot use helper (\S+)#\d+/,
    cause: "programs of this type may not call $1",
    help: "use a helper that this program type has, or another program type (the section name decides)",
  },
  {
    name: "helper-unavailable",
    pattern: /^(?:invalid func|unknown func) (\S+)/,
    cause: "there is no helper with this number",
    help: "check the helper's number, or the object's relocations",
  },
  {
    name: "gpl-only",
    pattern: /cannot call GPL-restricted function/,
    cause: "this helper is for programs with a GPL-compatible licence",
    help: 'add `char LICENSE[] SEC("license") = "GPL";`',
  },
  {
    name: "sleepable-helper",
    pattern: /might sleep|sleepable helper/,
    cause: "this helper may sleep, and the program may not",
    help: "put the program in a sleepable section (`.s`) if its type has one, or use another helper",
  },
  {
    name: "pointer-arithmetic",
    pattern:
      /R\d+ (?:32-bit )?pointer arithmetic|pointer \S+ pointer prohibited|bitwise operator|subtract(?:ion from stack)? pointer/,
    cause: "this arithmetic is not allowed on a pointer",
    help: "compute the offset as a number first, and add it to the pointer once, in 64 bits",
  },
  {
    name: "unreachable-code",
    pattern: /^unreachable insn/,
    cause: "no path leads to this code",
    help: "it follows something that never returns, or was jumped over: remove it, or `return` where the path should end",
  },
  {
    name: "unreachable-code",
    pattern: /^last insn is not/,
    cause: "the function runs on past its end",
    help: "return a value on every path (a missing `return`, or __builtin_unreachable, lets the compiler leave it out)",
  },
  {
    name: "unreachable-code",
    pattern: /^jump out of range|middle of ldimm64|call to invalid destination/,
    cause: "nothing leads here, or what does leads nowhere: $&",
    help: "return on every path, and check that every function and section was linked",
  },
  {
    name: "stack-access",
    pattern: /^invalid (read|write) (?:from|to) stack R\d+ off=(-?\d+) size=(\d+)/,
    cause: "this would $1 $3 byte(s) of stack from fp$2 on, more than the buffer there has",
    help: "make the buffer as large as the size says, or the size as small; a function has 512 bytes of stack",
  },
  {
    name: "stack-access",
    pattern: /^invalid (?:unbounded )?(?:variable-offset )?(read from|write to) stack/,
    cause: "this would $1 memory outside of the stack buffer, or bytes that hold something else",
    help: "make the buffer larger or bound the index; a function has 512 bytes of stack",
  },
  {
    name: "spill",
    pattern: /^invalid size of register (spill|fill)|cannot spill pointers/,
    cause: "a pointer is kept on the stack in fewer than 8 bytes, or in another function's frame",
    help: "store and load pointers whole, in variables of the function that uses them",
  },
  {
    name: "too-complex",
    pattern: /^BPF program is too large|jumps is too complex|too many subprograms/,
    cause: "there are more paths through the program than the verifier follows",
    help: "use bpf_loop or may_goto for loops, move parts into global functions, or split by tail calls",
  },
  {
    name: "unknown-instruction",
    pattern:
      /^unknown opcode|reserved fields|^invalid shift|^invalid BPF_|unrecognized bpf_ld_imm64|atomic opcode|atomic operand/,
    cause: "the kernel has no such instruction: $&",
    help: "compile for the right -mcpu, inline functions that are called through pointers, and relocate the object",
  },
  {
    name: "division-by-zero",
    pattern: /^div by zero/,
    cause: "this divides by the constant 0",
    help: "divide by a number that is not 0",
  },
  {
    name: "context-access",
    pattern: /^invalid bpf_context access off=(-?\d+) size=(\d+)/,
    cause: "$2 bytes at offset $1 of the context are not a field that this program type may use so",
    help: "use the field's own type and size, and only fields that this program type has",
  },
  {
    name: "modified-pointer",
    pattern: /^(?:dereference of modified|negative offset|variable) (\w+)/,
    cause: "a $1 pointer is used after something was added to it",
    help: "use the pointer as the program got it, with constant field offsets only",
  },
  {
    name: "endless-loop",
    pattern: /^infinite loop detected/,
    cause: "the loop makes no progress that the verifier can see",
    help: "count in a variable with a constant bound, or use bpf_loop",
  },
  {
    name: "misaligned",
    pattern: /^misaligned (\S+) access off (\S+) size (\d+)/,
    cause: "this access of $3 bytes is at offset $2 of the $1, which is no multiple of $3",
    help: "align the member and its struct (`__attribute__((aligned(8)))`, no `packed`), or access it in smaller parts",
  },
  {
    name: "misaligned",
    pattern: /^misaligned/,
    cause: "the address of this access is not a multiple of its size",
    help: "align the struct (`__attribute__((aligned(8)))`), or access it in smaller parts",
  },
  {
    name: "missing-btf",
    pattern: /^map '(\w*)' has to have BTF in order to use (\w+)/,
    cause: "the map '$1' says how large its values are, but not what is in them, which $2 needs",
    help: "declare it with `__type(key, …)` and `__type(value, …)` instead of sizes, and compile with -g",
  },
  {
    name: "missing-btf",
    pattern: /missing btf|has to have BTF|func_info/,
    cause: "the object lacks type information that this needs: $&",
    help: "compile with -g and keep the sections .BTF and .BTF.ext",
  },
  {
    name: "stack-depth",
    pattern:
      /^combined stack size of (\d+) calls is (\d+)|stack size of subprog|^the call stack|^tail_calls are not/,
    cause:
      "the chain of calls needs more stack than the 512 bytes (or 8 frames) that there are: $&",
    help: "move large buffers into a per-CPU array map",
  },
  {
    name: "return-range",
    pattern: /the register R0 (?:has|is) (.*) should have been in \[(-?\d+), (-?\d+)\]/,
    cause: "the return value ($1) must be between $2 and $3 here",
    help: "return one of the constants that this hook defines on every path",
  },
  {
    name: "return-value",
    pattern: /the register R0 is not|R0 not a scalar value|cannot return stack pointer/,
    cause: "a pointer is returned where a number is wanted",
    help: "return a number",
  },
  {
    name: "leaked-reference",
    pattern: /^Unreleased reference id=\d+ alloc_insn=(\d+)/,
    cause: "something acquired is not released on this path",
    help: "release it (bpf_sk_release, bpf_ringbuf_submit/discard …) on every path, also on early returns",
  },
  {
    name: "reference",
    pattern:
      /reference has not been acquired|must be referenced|unacquired reference|more than one arg/,
    cause: "the helper takes something that was acquired and not yet released",
    help: "pass the pointer that the acquiring helper gave, once",
  },
  {
    name: "lock-held",
    pattern: /^function calls are not allowed while holding a lock/,
    cause: "a function is called while a lock is held",
    help: "compute what the call gives before bpf_spin_lock, or call it after bpf_spin_unlock",
  },
  {
    name: "lock-held",
    pattern: /(?:cannot be used inside|inside) bpf_(?:res_)?spin_lock-ed region/,
    cause: "a lock is still held here",
    help: "unlock on every path that leaves, also on early returns",
  },
  {
    name: "lock",
    pattern: /^.*lock.*$/,
    cause: "a lock is not used as the verifier wants: $&",
    help: "take one lock at a time, call nothing while it is held, unlock on every path",
  },
  {
    name: "mixed-pointers",
    pattern: /same insn cannot be used with different pointers/,
    cause: "one load or store is reached with pointers of different kinds",
    help: "write the access in each branch instead of after they join",
  },
  {
    name: "map-type",
    pattern: /cannot pass map_type (\d+) into func (\S+)#/,
    cause: "$2 does not work on maps of this type",
    help: "use the helper that goes with the map's type",
  },
  {
    name: "unknown-instruction",
    pattern: /frame pointer is read only|^R\d+ is invalid|invalid bpf_ld_imm64|BPF_LD_\[?ABS/,
    cause: "this is no valid instruction here: $&",
    help: "this does not come from a compiler: check the assembly, or the file for damage",
  },
  {
    name: "map-reference",
    pattern: /map value pointer|direct value|not pointing to valid bpf_map|fd_idx/,
    cause: "the address of a map's value does not fit the map: $&",
    help: "load the object with a loader that creates its maps and relocates it",
  },
  {
    name: "flow-keys-bounds",
    pattern: /^(?:invalid access to flow keys|R\d+ invalid \w+ access) off=(-?\d+) size=(\d+)/,
    cause: "$2 bytes at offset $1 are not a field that may be read so",
    help: "use the field's own type and size",
  },
  {
    name: "special-field",
    pattern:
      /cannot be accessed directly|doesn't point to 'struct (\w+)'|has no valid|constant offset/,
    cause: "locks and timers in map values are for their helpers only, at their own address",
    help: "pass `&value->field` to the helper, and leave the field alone otherwise",
  },
  {
    name: "dynptr",
    pattern: /dynptr/,
    cause: "dynptrs: $&",
    help: "keep the struct bpf_dynptr on the stack, made once by a helper, and released once",
  },
  {
    name: "helper-argument",
    pattern: /not a known constant|is not a scalar|invalid args|helper access to the packet|BTF_ID/,
    cause: "an argument of the call does not fit: $&",
    help: "pass a value of the parameter's type; some sizes must be constants",
  },
  {
    name: "kernel-limit",
    pattern: /^verifier bug/,
    cause: "the kernel's verifier gives up here, by a fault of its own: $&",
    help: "write the code in another way; often a pointer is added to a number instead of the reverse",
  },
  {
    name: "privileges",
    pattern: /needs more privileges|without CAP_BPF/,
    cause: "the caller may not load it: $&",
    help: "load as root, or with CAP_BPF and what the type wants besides: CAP_NET_ADMIN, CAP_PERFMON",
  },
  {
    name: "read-only",
    pattern: /forbidden|cannot write into|only read from/,
    cause: "this memory may not be written",
    help: "write to a map or variable that is not read-only, and to packets only where the program type allows it",
  },
];
