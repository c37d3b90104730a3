#!/usr/bin/env node
/**
 * Starts the command line tool: compiles its bundles from V8's code cache. Measured: loading the
 * bundles without it is half of a small compilation. The cache that the build made serves the version
 * of Node that built it; others keep one of their own in the user's cache folder, written once.
 */
const { closeSync, fstatSync, openSync, readSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const vm = require("node:vm");

// The build asks for the caches after a run, so that they hold the functions that a run compiles: "first"
// for what is read before V8's flags are set (see `short`), "later" for bundles that come later, "short" and
// "long" for parts of the compiler that are read in such runs.
const building = process.env.BPFC_WRITE_CODE_CACHE;
const bundles = ["./compile.js", "./tools.js", "./machine.js"];
let writesCache = building === "first";
/** How many bundles were asked for beside `main`. */
let count = 0;

/** Memory for one file after the other: V8 copies what it takes, and fresh memory is dear. */
let scratch = Buffer.alloc(0);

/** A file's bytes, until the next one is read. */
function readScratch(file) {
  const descriptor = openSync(file);
  try {
    const { size } = fstatSync(descriptor);
    if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(Math.max(size, 1 << 21));
    return scratch.subarray(0, readSync(descriptor, scratch, 0, size, 0));
  } finally {
    closeSync(descriptor);
  }
}

function readCache(file) {
  try {
    return readScratch(file);
  } catch {
    return undefined;
  }
}

/** Compiles a bundle that the shipped cache does not fit, with help that is seldom needed. */
function compileAnew(name, filename, source, order) {
  const { cached, keep } = require("./user-cache.cjs").userCache(`${name}-${order}`, filename);
  const cachedData = cached(readCache);
  const script = new vm.Script(source, { filename, ...(cachedData && { cachedData }) });
  if (keep !== undefined && script.cachedDataRejected !== false) {
    writesCache = true;
    process.on("exit", () => {
      if (isShort || order !== "short") keep(script.createCachedData());
    });
  }
  return script;
}

/** `order` is the one of whose caches this bundle's is. */
function compileBundle(name, filename, order) {
  // Bundles are pure ASCII: read as Latin-1 they need no decoding.
  const source = readScratch(filename).latin1Slice();
  const cacheFile = `${filename.slice(0, -2)}${order === "first" ? "" : `${order}.`}cache`;
  if (building === order) {
    const script = new vm.Script(source, { filename });
    process.on("exit", () => writeFileSync(cacheFile, script.createCachedData()));
    return script;
  }
  const cachedData = readCache(cacheFile);
  if (cachedData !== undefined) {
    const script = new vm.Script(source, { filename, cachedData });
    if (!script.cachedDataRejected) return script;
  }
  return building
    ? new vm.Script(source, { filename })
    : compileAnew(name, filename, source, order);
}

/** Runs a bundle, which the build wrapped in a function; gives its exports. The flags are set once it is read. */
function load(name, order, flags) {
  const filename = join(__dirname, name);
  const module = { exports: {} };
  const script = compileBundle(name.slice(2, -3), filename, order);
  if (!writesCache) setFlags(flags);
  const run = script.runInThisContext();
  run(module.exports, requireBundle, module, filename, __dirname);
  return module.exports;
}

/**
 * A run is over before marking in small steps pays, or threads that share the collector's work.
 * (Only threads of its short collections may be taken away once it runs: V8 stops where the long ones
 * lose theirs.) V8 reads caches only under the flags that they were made under. So these are set when
 * the first bundle was read, and caches of those that come later are made under them.
 */
const shared = ["--interrupt-budget=1000000", "--no-incremental-marking", "--no-parallel-scavenge"];

/**
 * A small compilation is over before machine code pays, of patterns too, or threads that sweep. Most of its
 * young objects live on, so that their room had better grow at once than fill again and again.
 */
const short = [
  "--no-opt",
  "--no-sparkplug",
  "--regexp-tier-up-ticks=100",
  "--semi-space-growth-factor=3",
  "--no-concurrent-sweeping",
];
const long = [
  "--opt",
  "--sparkplug",
  "--regexp-tier-up-ticks=1",
  "--semi-space-growth-factor=2",
  "--concurrent-sweeping",
];
let isShort = false;

/** For what proves to be more than a small compilation; cli/long-run.ts asks for it. */
function beginLongRun() {
  if (!isShort || building === "short") return;
  isShort = false;
  setFlags(building ? [...long, withoutQuickCode] : long);
}
globalThis[Symbol.for("bpfc.beginLongRun")] = beginLongRun;

function requireBundle(name) {
  // A part of the compiler, which is loaded once.
  if (name.startsWith("./compile-")) return load(name, isShort ? "short" : "long", []);
  if (!bundles.includes(name)) return require(name);
  count += 1;
  if (building !== "short") beginLongRun();
  if (count > 1) return load(name, "later", []);
  if (building === "later") return load(name, "first", [...shared, withoutQuickCode]);
  isShort = name === "./compile.js" && !writesCache;
  return load(name, "first", isShort ? [...shared, ...short] : shared);
}

/**
 * `node:v8` also brings streams and heap snapshots, for 4 ms; what it sets flags by is at hand. Where
 * a Node has that no more, the module serves.
 */
function flagSetter() {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    return process.binding("v8");
  } catch {
    return {};
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

function setFlags(flags) {
  if (flags.length === 0) return;
  const { setFlagsFromString = require("node:v8").setFlagsFromString } = flagSetter();
  setFlagsFromString(flags.join(" "));
}

// Which functions got quick machine code is kept in a cache, and would be done again at every start.
const withoutQuickCode = "--no-sparkplug";
if (building && building !== "short") process.on("exit", () => setFlags(["--sparkplug"]));
if (building === "first") setFlags([withoutQuickCode]);
load("./main.js", "first", []);
