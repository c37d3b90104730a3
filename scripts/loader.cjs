#!/usr/bin/env node
/**
 * Starts the command line tool: compiles its bundles from V8's code cache, where the cache was made
 * by this version of Node. Measured: loading the bundles without it is half of a small compilation.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const vm = require("node:vm");

// The build asks for the caches after a run, so that they hold the functions that a run compiles.
const writesCache = process.env.BPFC_WRITE_CODE_CACHE === "1";
const bundles = ["./compile.js", "./tools.js"];

function readCache(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Runs a bundle, which the build wrapped in a function; gives its exports. */
function load(name) {
  const filename = join(__dirname, name);
  const cacheFile = filename.replace(/js$/, "cache");
  // Bundles are pure ASCII: read as Latin-1 they need no decoding.
  const source = readFileSync(filename, "latin1");
  const script = new vm.Script(source, { filename, cachedData: readCache(cacheFile) });
  if (writesCache) process.on("exit", () => writeFileSync(cacheFile, script.createCachedData()));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, requireBundle, module, filename, __dirname);
  return module.exports;
}

function requireBundle(name) {
  if (!bundles.includes(name)) return require(name);
  const exports = load(name);
  // A compilation is over before optimised code pays. V8 refuses caches made under other flags than
  // it reads them with, so that this comes after reading, and never where one is made.
  if (!writesCache) require("node:v8").setFlagsFromString("--interrupt-budget=1000000");
  return exports;
}

// Which functions got quick machine code is kept in a cache, and would be done again at every start.
if (writesCache) {
  const v8 = require("node:v8");
  v8.setFlagsFromString("--no-sparkplug");
  process.on("exit", () => v8.setFlagsFromString("--sparkplug"));
}
load("main.js");
