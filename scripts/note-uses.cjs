/** Loaded before a build that tells what it uses, by `globalThis.noteUse(name)`: counts that, name by name. */
const { writeFileSync } = require("node:fs");

const counts = {};
globalThis.noteUse = (name) => {
  counts[name] = (counts[name] ?? 0) + 1;
};
process.on("exit", () => writeFileSync(process.env.BPFC_NOTED_USES, JSON.stringify(counts)));
