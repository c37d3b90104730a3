/**
 * What the statements of a bundle define and use, and which of the definitions could be made later just as
 * well: functions, and variables that are assigned once and whose value does not depend on when it is made; none
 * that uses a variable which changes. For scripts/split-bundle.mjs.
 *
 * A bundle is what esbuild makes without minifying: all modules' definitions side by side, under names that
 * nothing within them has again.
 */
import ts from "typescript";

const { SyntaxKind } = ts;

/**
 * The statements of a bundle: `names` that each defines, `uses` of definitions, and `mayMove`.
 * Those of one module have the `module` that esbuild's comment names.
 */
export function bundleStatements(text) {
  const source = ts.createSourceFile("bundle.js", text, ts.ScriptTarget.Latest, true);
  const defined = new Set(source.statements.flatMap(namesOf));
  const changing = changingNames(source, defined);
  let module = "";
  // A variable has no value yet where it is used before it is defined; a function has.
  const ready = new Set(source.statements.filter(ts.isFunctionDeclaration).flatMap(namesOf));
  const statements = source.statements.map((node) => {
    const comments = text.slice(node.getFullStart(), node.getStart());
    for (const [, path] of comments.matchAll(/^\/\/ (\S+\.\w+)$/gm)) module = path;
    const [names, uses] = [namesOf(node), usesOf(node, defined)];
    const isSteady = ![...names, ...uses.map(({ name }) => name)].some((name) =>
      changing.has(name),
    );
    const isReady = uses.every(({ name, early }) => !early || ready.has(name));
    const mayMove = isSteady && isReady && names.length === 1 && isDefinition(node);
    for (const name of names) ready.add(name);
    return { module, names, uses, mayMove, start: node.getFullStart(), end: node.end };
  });
  return statements;
}

function namesOf(node) {
  if (ts.isFunctionDeclaration(node)) return [node.name.text];
  if (!ts.isVariableStatement(node)) return [];
  const named = ({ name }) => (ts.isIdentifier(name) ? [name.text] : name.elements.flatMap(named));
  return node.declarationList.declarations.flatMap(named);
}

/** Whether an identifier stands for a value, and is no name of a member or a label. */
function isValue(node) {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  return parent.name !== node;
}

/** Where a statement uses definitions; `early` where that happens when the statement itself runs. */
function usesOf(statement, defined) {
  const uses = [];
  const walk = (node, early) => {
    if (ts.isIdentifier(node) && defined.has(node.text) && isValue(node)) {
      const isShorthand = ts.isShorthandPropertyAssignment(node.parent);
      uses.push({ name: node.text, start: node.getStart(), end: node.end, isShorthand, early });
    }
    const inner = early && !ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => walk(child, inner));
  };
  walk(statement, true);
  return uses;
}

/** Names that something assigns to. Throws where one of the bundle's is declared again within a function. */
function changingNames(source, defined) {
  const changing = new Set();
  const note = (target) => {
    if (ts.isIdentifier(target)) changing.add(target.text);
    else if (!ts.isPropertyAccessExpression(target) && !ts.isElementAccessExpression(target))
      ts.forEachChild(target, note);
  };
  const walk = (node) => {
    const target = targetOf(node);
    if (target !== undefined) note(target);
    if (isInnerDeclaration(node) && defined.has(node.name.text))
      throw new Error(`the bundle has two of ${node.name.text}`);
    ts.forEachChild(node, walk);
  };
  walk(source);
  return changing;
}

const isAssignment = ({ kind }) =>
  kind >= SyntaxKind.FirstAssignment && kind <= SyntaxKind.LastAssignment;

/** What a node assigns to beside what it declares. */
function targetOf(node) {
  if (ts.isBinaryExpression(node)) return isAssignment(node.operatorToken) ? node.left : undefined;
  if (ts.isPostfixUnaryExpression(node)) return node.operand;
  if (ts.isPrefixUnaryExpression(node)) {
    const { operator, operand } = node;
    const steps = operator === SyntaxKind.PlusPlusToken || operator === SyntaxKind.MinusMinusToken;
    return steps ? operand : undefined;
  }
  return ts.isForInStatement(node) || ts.isForOfStatement(node) ? node.initializer : undefined;
}

function isInnerDeclaration(node) {
  const declares =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node) ||
    ts.isFunctionExpression(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassLike(node);
  if (!declares || node.name === undefined || !ts.isIdentifier(node.name)) return false;
  let outer = node.parent;
  while (ts.isBindingElement(outer) || ts.isBindingName(outer) || isPartOfVariables(outer))
    outer = outer.parent;
  return !ts.isSourceFile(outer);
}

const isPartOfVariables = (node) =>
  ts.isVariableDeclaration(node) ||
  ts.isVariableDeclarationList(node) ||
  ts.isVariableStatement(node);

function isDefinition(node) {
  if (ts.isFunctionDeclaration(node)) return true;
  const { name, initializer } = node.declarationList.declarations[0];
  return ts.isIdentifier(name) && initializer !== undefined && isTimeless(initializer);
}

const timelessKinds = new Set([
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
  SyntaxKind.Identifier,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
]);

const timelessConstructors = new Set(["Map", "Set", "WeakMap", "WeakSet"]);

/** Whether an expression has the same value whenever it is evaluated first. */
function isTimeless(node) {
  if (timelessKinds.has(node.kind)) return true;
  if (ts.isParenthesizedExpression(node)) return isTimeless(node.expression);
  if (ts.isPrefixUnaryExpression(node)) return isTimeless(node.operand);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isTimeless);
  if (ts.isObjectLiteralExpression(node)) return node.properties.every(isTimelessProperty);
  if (ts.isClassExpression(node)) return isTimelessClass(node);
  if (ts.isBinaryExpression(node))
    return !isAssignment(node.operatorToken) && isTimeless(node.left) && isTimeless(node.right);
  if (!ts.isNewExpression(node)) return false;
  const { expression } = node;
  const constructs = ts.isIdentifier(expression) && timelessConstructors.has(expression.text);
  return constructs && (node.arguments ?? []).every(isTimeless);
}

const hasPlainName = ({ name }) => name === undefined || !ts.isComputedPropertyName(name);

function isTimelessProperty(property) {
  if (ts.isPropertyAssignment(property))
    return hasPlainName(property) && isTimeless(property.initializer);
  return !ts.isSpreadAssignment(property) && hasPlainName(property);
}

/** Methods and constructors alone, and a plain name of what it extends. */
function isTimelessClass({ members, heritageClauses = [] }) {
  const bases = heritageClauses.flatMap(({ types }) => types);
  return (
    members.every((member) => ts.isFunctionLike(member) && hasPlainName(member)) &&
    bases.every(({ expression }) => ts.isIdentifier(expression))
  );
}
