/**
 * Splits a bundle by what small compilations need: definitions that none of them ever touched go to parts,
 * each loaded when something in it is touched first. V8 reads, links and sets up all of the main part at each
 * start, needed or not.
 *
 *   const { instrumented, split } = splitter(text, partOf);
 *   instrumented     the bundle, telling globalThis.noteUse(name) whenever a definition is touched
 *   split(touched)   { main, parts }: the bundle without what moved, and by part the text of a module whose
 *                    export makes the part's definitions from those that it needs
 *
 * `partOf` gives the name of the part for a module's path. The main part loads one by require("./NAME.js").
 */
import { bundleStatements } from "./bundle-definitions.mjs";
import { withEdits } from "./text-edits.mjs";

export function splitter(text, partOf) {
  const statements = bundleStatements(text);
  for (const statement of statements) statement.part = partOf(statement.module);
  return {
    instrumented: withEdits(text, notingUses(statements)),
    split: (touched) => {
      const moved = movedDefinitions(statements, touched);
      const names = [...new Set([...moved.values()].map(({ part }) => part))].sort();
      return {
        main: mainText(text, statements, moved, names),
        parts: Object.fromEntries(
          names.map((name) => [name, partText(text, statements, moved, name)]),
        ),
      };
    },
  };
}

/** Puts an expression in the place of a name. */
const replaced = ({ name, start, end, isShorthand }, by) => ({
  start,
  end,
  text: isShorthand ? `${name}: ${by}` : by,
});

function notingUses(statements) {
  const movable = new Set(statements.flatMap(({ names, mayMove }) => (mayMove ? names : [])));
  return statements.flatMap(({ uses, mayMove }) =>
    uses
      // What a definition needs to be made is needed only if the definition is.
      .filter(({ name, early }) => movable.has(name) && !(early && mayMove))
      .map((use) => replaced(use, `(globalThis.noteUse("${use.name}"), ${use.name})`)),
  );
}

/** Name → statement of what goes to parts. */
function movedDefinitions(statements, touched) {
  const moved = new Map();
  for (const statement of statements)
    if (statement.mayMove && !touched.has(statement.names[0]))
      moved.set(statement.names[0], statement);
  // What stays is made at once, with what that needs; and parts are made one after the other.
  const mustStay = ({ names, part, uses }) => {
    const place = moved.has(names[0]) ? part : undefined;
    return uses.filter(({ name, early }) => early && (moved.get(name)?.part ?? place) !== place);
  };
  for (let before = -1; before !== moved.size; ) {
    before = moved.size;
    for (const statement of statements)
      for (const { name } of mustStay(statement)) moved.delete(name);
  }
  return moved;
}

const loaderOf = (part) => `$load_${part.replaceAll(/\W/g, "_")}`;
const placeOf = (part) => `$part_${part.replaceAll(/\W/g, "_")}`;

function mainText(text, statements, moved, names) {
  const edits = [];
  for (const { names: defined, start, end, uses } of statements) {
    if (moved.has(defined[0])) edits.push({ start, end, text: "" });
    else
      for (const use of uses) {
        const part = moved.get(use.name)?.part;
        if (part === undefined) continue;
        const loaded = `(${placeOf(part)} ?? ${loaderOf(part)}())`;
        edits.push(replaced(use, `(${loaded}.${use.name})`));
      }
  }
  const loaders = names.map((part) => {
    const needs = [...needsOf(statements, moved, part)].sort().join(", ");
    const load = `${placeOf(part)} ??= require("./${part}.js")({ ${needs} })`;
    return `var ${placeOf(part)};\nfunction ${loaderOf(part)}() { return ${load}; }\n`;
  });
  return `${withEdits(text, edits)}\n${loaders.join("")}`;
}

/** Names of the main part that a part uses; loaders of other parts among them. */
function needsOf(statements, moved, part) {
  const needs = new Set();
  for (const { names, uses } of statements) {
    if (moved.get(names[0])?.part !== part) continue;
    for (const { name } of uses) {
      const other = moved.get(name)?.part;
      if (other !== part) needs.add(other === undefined ? name : loaderOf(other));
    }
  }
  return needs;
}

function partText(text, statements, moved, part) {
  const isHere = (name) => moved.get(name)?.part === part;
  const wanted = new Set();
  const own = [];
  for (const { names, start, end, uses } of statements) {
    if (!isHere(names[0])) {
      for (const { name } of uses) if (isHere(name)) wanted.add(name);
      continue;
    }
    const edits = uses
      .filter(({ name }) => moved.has(name) && !isHere(name))
      .map((use) => {
        const by = `(${loaderOf(moved.get(use.name).part)}().${use.name})`;
        const { start: from, end: to, text: inner } = replaced(use, by);
        return { start: from - start, end: to - start, text: inner };
      });
    own.push(withEdits(text.slice(start, end), edits));
  }
  const needs = [...needsOf(statements, moved, part)].sort().join(", ");
  const given = [...wanted].sort().join(", ");
  return `module.exports = ({ ${needs} }) => {\n${own.join("")}\nreturn { ${given} };\n};\n`;
}
