/** Classes of rejections of programs that use objects: of their own, of the kernel, of its tables. */
import type { RejectionClass } from "./rejection-classes.ts";

export const objectClasses: readonly RejectionClass[] = [
  {
    name: "result-range",
    pattern: /^At \w+ exit the register R1 (.*)/,
    cause: "what is thrown becomes the program's result, and is out of its range: R1 $1",
    help: "throw a value that the program may return, or name an exception callback that returns one",
  },
  {
    name: "exception",
    pattern: /bpf_throw|exception (?:cb|callback)/,
    cause: "exceptions: $&",
    help: "throw only where nothing is held and not from callbacks; the exception callback is a global function of one integer that nothing calls",
  },
  {
    name: "arena",
    pattern: /arena/,
    cause: "arenas: $&",
    help: "name the arena map in the program, cast addresses before they are followed, pass copies to helpers",
  },
  {
    name: "list-or-tree",
    pattern:
      /^operation on (\w+) expects|but expected (\w+) at offset|(\w+) not found at offset|rbtree cb|tracing progs cannot use|refcounted bpf_rb_node|bpf_refcount field/,
    cause: "lists and trees: $&",
    help: "link objects of the type that the root's `contains` tag names, by the member that it names, while the root's lock is held",
  },
  {
    name: "owned-object",
    pattern:
      /pointer to allocated object|allocated object must be referenced|must have zero offset when passed to release|^direct access to (\w+) is disallowed/,
    cause: "an object of the program's own is not used as its owner may: $&",
    help: "pass the object's own address (`container_of` gives it from a node), once, and leave its nodes and locks to their functions",
  },
  {
    name: "interrupts",
    pattern: /irq (?:state|flag)/,
    cause: "saved interrupt flags: $&",
    help: "keep each flag in its own variable and restore them in the reverse order, by the function that goes with the one that saved",
  },
  {
    name: "work-item",
    pattern:
      /(?:workqueue|bpf_task_work) pointer|doesn't point to a map value|doesn't point to an? (\w+)/,
    cause: "this is not the address that the function wants: $&",
    help: "pass `&value->work` of the map's value, and the same map",
  },
  {
    name: "maybe-null",
    pattern: /^Possibly NULL pointer passed to (?:trusted|helper) arg(\d+)/,
    cause: "argument $1, counted from 0, may be NULL",
    help: "test it on every path before the call: `if (!pointer) return 0;`",
  },
  {
    name: "kernel-function-argument",
    pattern: /^arg#(\d+) pointer type (\S+) (\S*) must point to/,
    cause: "argument $1, counted from 0, is no pointer to a $3 that the verifier knows as one",
    help: "pass an object that the hook, a helper or a function gave as such (a trusted pointer), not an address that was read",
  },
  {
    name: "function-signature",
    pattern:
      /^arg#\d+ (?:should be|expects|is expected|has|type|untrusted|arena)|doesn't return scalar|is not supported yet/,
    cause: "the function's parameter and what is passed do not go together: $&",
    help: "global functions take numbers, the context, or pointers to memory of known size; tags (`__arg_ctx`, `__arg_nonnull`, `__arg_trusted` …) say more",
  },
  {
    name: "hook",
    pattern:
      /doesn't have \d+-th argument|is not sleepable|is not modifiable|^Attaching |^The function \w+ |disabled hook|attach to (?:un|in)|attach_btf_id|wrong type name/,
    cause: "the hook does not offer this: $&",
    help: "look at the hook's prototype in vmlinux.h, and choose another hook if it may not be attached to",
  },
  {
    name: "sleeping",
    pattern: /must be sleepable|is sleepable within|might sleep/,
    cause: "something that may sleep is called where nothing may: $&",
    help: 'use a sleepable section (`SEC("….s/…")`), outside of locks and protected regions',
  },
  {
    name: "kernel-function",
    pattern: /^calling kernel function (\w+) is not allowed|kernel function (\w+)/,
    cause: "programs of this type may not call it so: $&",
    help: "use another program type, or a helper that does the same",
  },
  {
    name: "kernel-object-write",
    pattern: /no write support|write access at off|only (?:read|access to \w+) is supported/,
    cause: "this member of a kernel object may not be written: $&",
    help: "write only the members that the kernel lists for this program type, in their own width",
  },
  {
    name: "atomic-target",
    pattern: /^BPF_ATOMIC (.*) is not allowed/,
    cause: "atomic operations do not work on this memory: $1",
    help: "use a map value or the stack",
  },
];
