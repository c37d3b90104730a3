// src/start.ts
var { sep, join } = require("node:path");
var count = 0;
var table = { one: first, two: second };
var cold = { three: third, "four": () => fourth(1) };
var pattern = /^\d+$/;
var known = new Map([["a", 1], ["b", limit]]);
var limit = 5;
function first() {
  return "first";
}
function second() {
  return counted("second");
}
function counted(name) {
  count += 1;
  return `${name} ${count}`;
}

// src/rare.ts
var Base = class _Base {
  name() {
    return `base ${this.own()}`;
  }
};
var Derived = class extends Base {
  own() {
    return known.get("b");
  }
  static make() {
    return new Derived();
  }
};
var made = Derived.make;
var once = (() => count)();
function third(depth = 1) {
  return depth > 2 ? depth : third(depth + 1);
}
function fourth(a) {
  return { limit, pattern, a, third: third() };
}

// other/far.ts
function far(text) {
  return pattern.test(text) ? fourth(near) : near;
}
var near = `near ${limit}`;
var label = "far";
function toggle() {
  label = label === "far" ? "near" : "far";
  return label;
}
var same = [third, "third"];

// src/main.ts
function run(name) {
  switch (name) {
    case "table":
      return [table.one(), table.two()];
    case "cold":
      return [cold.three(), cold.four(), same[0] === third];
    case "class":
      return [new Derived().name(), made().name(), new Derived() instanceof Base];
    case "far":
      return [far("12"), far("x"), typeof far];
    case "toggle":
      return [toggle(), toggle()];
    default:
      return [first(), once, sep, join("a", "b")];
  }
}
module.exports = { run };
