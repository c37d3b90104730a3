/** Memory that programs own: allocated objects, reference counts, linked lists and trees of them. */
import { btfSizeOf, btfTypeById } from "../../common/object/btf-types.ts";
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

/** What a kernel's programs have allocated, by address. */
interface Heap {
  readonly sizes: Map<number, number>;
  readonly references: Map<number, number>;
  /** Members of lists (in their order) and trees (ascending), by the number in their head. */
  readonly collections: Map<number, number[]>;
}

const heaps = new WeakMap<Kernel, Heap>();

function heapOf(kernel: Kernel): Heap {
  const known = heaps.get(kernel);
  if (known !== undefined) return known;
  const made = { sizes: new Map(), references: new Map(), collections: new Map() };
  heaps.set(kernel, made);
  return made;
}

const objectNew: Helper = (call) => {
  const { btf } = call.run.program;
  const type = btf && btfTypeById(btf, call.low(1));
  const size = btf && btfSizeOf(btf, call.low(1));
  if (size === undefined) throw new Fault("bad-argument", "not a type of the program");
  const name = type !== undefined && "name" in type ? type.name : "object";
  const address = call.memory.region("object", name, size);
  const heap = heapOf(call.kernel);
  heap.sizes.set(address, size);
  heap.references.set(address, 1);
  return address;
};

const objectDrop: Helper = (call) => {
  const address = call.low(1);
  const heap = heapOf(call.kernel);
  const size = heap.sizes.get(address);
  if (size === undefined) throw new Fault("bad-argument", "not an object", call.arg(1));
  const references = (heap.references.get(address) ?? 1) - 1;
  heap.references.set(address, references);
  if (references > 0) return 0;
  heap.sizes.delete(address);
  heap.references.delete(address);
  call.memory.forgetRegion(address);
  call.memory.release(address, size);
  return 0;
};

const acquire: Helper = (call) => {
  const { references } = heapOf(call.kernel);
  const address = call.low(1);
  references.set(address, (references.get(address) ?? 0) + 1);
  return address;
};

/** The members of the list or tree whose head is at an argument's address. */
function members(call: HelperCall, register: number): number[] {
  const { collections } = heapOf(call.kernel);
  const head = call.address(register, 8, true);
  const { view } = call.memory;
  const known = collections.get(view.getUint32(head, true));
  if (known !== undefined) return known;
  const made: number[] = [];
  const number = collections.size + 1;
  collections.set(number, made);
  view.setUint32(head, number, true);
  return made;
}

/** A node that is in a collection says so in its first word. */
function join(call: HelperCall, register: number): number | undefined {
  const node = call.address(register, 8, true);
  const { view } = call.memory;
  if (view.getUint32(node, true) !== 0) return undefined;
  view.setUint32(node, 1, true);
  return node;
}

function leave(call: HelperCall, node: number | undefined): number {
  if (node === undefined) return 0;
  call.memory.view.setUint32(node, 0, true);
  return node;
}

const push =
  (where: "front" | "back"): Helper =>
  (call) => {
    const list = members(call, 1);
    const node = join(call, 2);
    if (node === undefined) return -errno.EINVAL;
    if (where === "front") list.unshift(node);
    else list.push(node);
    return 0;
  };

const treeAdd: Helper = (call) => {
  const tree = members(call, 1);
  const less = call.arg(3);
  const node = join(call, 2);
  if (node === undefined) return -errno.EINVAL;
  let at = 0;
  while (at < tree.length) {
    const other = tree[at] as number;
    if (call.engine.callFunction(less, [BigInt(node), BigInt(other)]) !== 0n) break;
    at += 1;
  }
  tree.splice(at, 0, node);
  return 0;
};

const treeRemove: Helper = (call) => {
  const tree = members(call, 1);
  const at = tree.indexOf(call.low(2));
  return at < 0 ? 0 : leave(call, tree.splice(at, 1)[0]);
};

/** Trees are lists in order; as trees they are as even as can be, the middle being the root. */
function childOf(tree: readonly number[], node: number, side: "left" | "right"): number {
  const wanted = tree.indexOf(node);
  let [from, to] = [0, tree.length];
  for (;;) {
    const middle = (from + to) >> 1;
    if (wanted === middle) {
      const [a, b] = side === "left" ? [from, middle] : [middle + 1, to];
      return a < b ? (tree[(a + b) >> 1] as number) : 0;
    }
    if (wanted < middle) to = middle;
    else from = middle + 1;
  }
}

/** `(root, node)`. */
const child =
  (side: "left" | "right"): Helper =>
  (call) => {
    const tree = members(call, 1);
    return tree.includes(call.low(2)) ? childOf(tree, call.low(2), side) : 0;
  };

const aliases = (names: readonly string[], helper: Helper): Record<string, Helper> =>
  Object.fromEntries(names.map((name) => [name, helper]));

/** The names with `_impl` are those of kernels before 6.19. */
export const objectKfuncs: Readonly<Record<string, Helper>> = {
  ...aliases(
    ["bpf_obj_new_impl", "bpf_obj_new", "bpf_percpu_obj_new_impl", "bpf_percpu_obj_new"],
    objectNew,
  ),
  ...aliases(
    ["bpf_obj_drop_impl", "bpf_obj_drop", "bpf_percpu_obj_drop_impl", "bpf_percpu_obj_drop"],
    objectDrop,
  ),
  ...aliases(["bpf_refcount_acquire_impl", "bpf_refcount_acquire"], acquire),
  ...aliases(["bpf_list_push_front_impl", "bpf_list_push_front"], push("front")),
  ...aliases(["bpf_list_push_back_impl", "bpf_list_push_back"], push("back")),
  bpf_list_pop_front: (call) => leave(call, members(call, 1).shift()),
  bpf_list_pop_back: (call) => leave(call, members(call, 1).pop()),
  bpf_list_front: (call) => members(call, 1)[0] ?? 0,
  bpf_list_back: (call) => members(call, 1).at(-1) ?? 0,
  ...aliases(["bpf_rbtree_add_impl", "bpf_rbtree_add"], treeAdd),
  bpf_rbtree_first: (call) => members(call, 1)[0] ?? 0,
  bpf_rbtree_remove: treeRemove,
  bpf_rbtree_root: (call) => {
    const tree = members(call, 1);
    return tree[tree.length >> 1] ?? 0;
  },
  bpf_rbtree_left: child("left"),
  bpf_rbtree_right: child("right"),
};
