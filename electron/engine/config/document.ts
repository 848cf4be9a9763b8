/**
 * The text of culvert.json as a tree: JSON as people write it, with comments and trailing commas, read into a plain
 * value, and every field's place in the text.
 *
 * Must not: set a key that JavaScript gives a meaning to, or recurse as deep as a stranger's text tells it to.
 */
import { createScanner, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { forbiddenKeys, type Path, type Place, type Problem } from './problems.ts';

/** Objects and lists in each other; the configuration needs seven. */
const deepest = 64;
/** `SyntaxKind` of jsonc-parser, whose enum is there for its own compiler only. */
const tokens = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 } as const;

export interface Document {
  readonly value: unknown;
  /** Of a field, or of the nearest thing around it that is there. */
  readonly placeOf: (path: Path) => Place;
}

const syntaxWords: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this word has no meaning here',
  InvalidNumberFormat: 'this is not a number',
  PropertyNameExpected: 'the name of a field in double quotes is missing here',
  ValueExpected: 'a value is missing here',
  ColonExpected: 'a colon is missing here',
  CommaExpected: 'a comma is missing here',
  CloseBraceExpected: 'a closing brace } is missing here',
  CloseBracketExpected: 'a closing bracket ] is missing here',
  EndOfFileExpected: 'nothing more may follow here',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this text has no closing quote',
  UnexpectedEndOfNumber: 'this number is not complete',
  InvalidUnicode: 'this \\u escape is not complete',
  InvalidEscapeCharacter: 'there is no such escape after \\',
  InvalidCharacter: 'this character must be written as an escape',
};

/** Reads a text; problems are those of its syntax, keys that are given twice, and keys that cannot be. */
export function parseDocument(text: string): { document: Document } | { problems: Problem[] } {
  if (text.trim() === '') return { problems: [{ path: [], message: 'the file is empty' }] };
  const tooDeep = findTooDeep(text);
  if (tooDeep !== undefined)
    return { problems: [{ path: [], place: placeAt(text, tooDeep), message: 'this is nested too deeply' }] };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || root === undefined) return { problems: syntaxProblems(text, errors) };
  const problems: Problem[] = [];
  const value = valueOf(root, [], (node, path, message) => {
    problems.push({ path, place: placeAt(text, node.offset), message });
  });
  if (problems.length > 0) return { problems };
  return { document: { value, placeOf: (path) => placeAt(text, nearest(root, path).offset) } };
}

function syntaxProblems(text: string, errors: readonly ParseError[]): Problem[] {
  // One slip makes a parser stumble over what follows, so only the first few are of use.
  return errors.slice(0, 3).map(({ error, offset }) => {
    const message = syntaxWords[printParseErrorCode(error)] ?? 'this is not JSON';
    return { path: [], place: placeAt(text, offset), message };
  });
}

/** The offset where the nesting becomes too deep. The parser recurses, so that this is asked before. */
function findTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    const token: number = scanner.scan();
    if (token === tokens.end) return undefined;
    if (token === tokens.openBrace || token === tokens.openBracket) depth += 1;
    if (token === tokens.closeBrace || token === tokens.closeBracket) depth -= 1;
    if (depth > deepest) return scanner.getTokenOffset();
  }
}

type Report = (node: Node, path: Path, message: string) => void;

function valueOf(node: Node, path: Path, report: Report): unknown {
  if (node.type === 'array')
    return node.children?.map((item, index) => valueOf(item, [...path, index], report));
  if (node.type !== 'object') return node.value as unknown;
  const result: Record<string, unknown> = {};
  for (const { children } of node.children ?? []) {
    const [keyNode, valueNode] = children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    if (forbiddenKeys.has(key)) report(keyNode, [...path, key], 'this name cannot be used');
    else if (Object.hasOwn(result, key)) report(keyNode, [...path, key], 'is given twice');
    else result[key] = valueOf(valueNode, [...path, key], report);
  }
  return result;
}

function nearest(root: Node, path: Path): Node {
  let node = root;
  for (const part of path) {
    const next = typeof part === 'number' ? node.children?.[part] : propertyOf(node, part);
    if (next === undefined) break;
    node = next;
  }
  return node;
}

function propertyOf(node: Node, key: string): Node | undefined {
  if (node.type !== 'object') return undefined;
  return node.children?.find(({ children }) => children?.[0]?.value === key)?.children?.[1];
}

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
