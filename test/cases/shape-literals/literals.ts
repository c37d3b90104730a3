/** Literals that scripts/shape-literals.mjs rewrites, and some that it has to leave. */

export function plain(a = 1, b = "two"): object {
  return { a, b: b, "c": [a] };
}

export function nested(): object {
  return { outer: { inner: { deep: 1 }, list: [{ at: 0 }, { at: 1 }] }, last: 2, };
}

export const arrow = () => ({ kind: "arrow", run: () => ({ kind: "inner" }) }).run();

export function order(): string {
  const seen: string[] = [];
  const note = (name: string): string => {
    seen.push(name);
    return name;
  };
  const made = { z: note("first"), a: note("second"), m: note("third") } as const;
  return [...seen, ...Object.keys(made)].join(" ");
}

export function shared(): boolean {
  const made = [{ x: 1, y: 2 }, { x: "1", y: undefined }];
  return made.every((each) => Object.getPrototypeOf(each) === Object.prototype && "y" in each);
}

export function assigned(): number[] {
  let a = 0;
  let b = 0;
  ({ a, b } = { a: 1, b: 2 });
  [{ a }, b] = [{ a: 3 }, 4];
  for ({ a } of [{ a: 5 }]) b += a;
  return [a, b];
}

export function left(name = "computed"): object {
  const spread = { ...{ a: 1 }, b: 2 };
  const computed = { [name]: 1 };
  const accessors = {
    get value() {
      return 1;
    },
    method() {
      return 2;
    },
  };
  const elements = { 0: "zero", 1: "one" };
  const noPrototype = { __proto__: null, own: 1 };
  const isBare = Object.getPrototypeOf(noPrototype) === null;
  return [spread, computed, accessors.value, accessors.method(), elements, isBare, {}];
}

export function keywords(): object {
  return { default: 1, delete: 2, class: 3, of: 4, /* a comment { */ async: 5 };
}
