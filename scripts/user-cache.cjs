/**
 * V8's code caches for versions of Node that the shipped ones do not fit, in the user's cache folder; for
 * scripts/loader.cjs, which would take longer to start with this in it.
 */
const { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

/**
 * Where this version of Node keeps its cache of a bundle; undefined where there is no such place.
 * V8 tells caches apart by its own version and flags and by the bundle's length, so the name has to
 * say which bundle it is.
 */
function userCacheFile(name, filename) {
  const { BPFC_NO_CODE_CACHE, HOME, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const home = HOME && join(HOME, ".cache");
  const folder = process.platform === "win32" ? LOCALAPPDATA : XDG_CACHE_HOME || home;
  if (!folder || BPFC_NO_CODE_CACHE === "1") return undefined;
  const { mtimeMs, size } = statSync(filename);
  const build = `${Math.floor(mtimeMs).toString(36)}-${size.toString(36)}`;
  return join(folder, "bpfc", `${name}-${build}-${process.version}-${process.arch}.cache`);
}

/** Written whole or not at all, for V8 trusts what it reads; and silently. */
function writeUserCache(file, data) {
  try {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
    const partial = mkdtempSync(`${file}.`);
    try {
      writeFileSync(join(partial, "cache"), data, { mode: 0o600 });
      renameSync(join(partial, "cache"), file);
    } finally {
      rmSync(partial, { recursive: true });
    }
  } catch {
    // Another start will try again.
  }
}

/** What another user may have written is not run: this tool is often started as root. */
function isOwn(file) {
  try {
    const { mode, uid } = statSync(file);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}

/**
 * Gives a bundle's cache: `cached` reads it with a function from a file's path to its bytes, `keep` writes
 * it, where there is a place for one.
 */
exports.userCache = (name, filename) => {
  const file = userCacheFile(name, filename);
  return {
    cached: (read) => (file && isOwn(file) ? read(file) : undefined),
    keep: file && ((data) => writeUserCache(file, data)),
  };
};
