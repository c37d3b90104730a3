/** Loaded before a build of `countedLiterals`: notes how often literals of each shape are made. */
const { writeFileSync } = require("node:fs");

const counts = {};
globalThis.madeLiteral = (shape) => {
  counts[shape] = (counts[shape] ?? 0) + 1;
};
process.on("exit", () => writeFileSync(process.env.BPFC_LITERAL_COUNTS, JSON.stringify(counts)));
