#!/usr/bin/env node
/**
 * Starts the command line tool: compiles its bundle from V8's code cache, where the cache was made by
 * this version of Node. Measured: loading the bundle without it is half of a small compilation.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

const file = join(__dirname, "main.js");
const cacheFile = join(__dirname, "main.cache");

function readCache() {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

// The bundle is pure ASCII: read as Latin-1 it needs no decoding.
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "latin1")}\n})`;
const script = new vm.Script(source, { filename: file, cachedData: readCache() });
// The build asks for the cache after a run, so that it holds the functions that a run compiles.
const writesCache = process.env.BPFC_WRITE_CODE_CACHE === "1";
if (writesCache) process.on("exit", () => writeFileSync(cacheFile, script.createCachedData()));
// A compilation is over before optimised code pays. V8 refuses caches made under other flags than it
// reads them with, so that this comes after reading, and never where one is made.
else v8.setFlagsFromString("--interrupt-budget=1000000");
script.runInThisContext()(exports, require, module, __filename, __dirname);
