/**
 * The text of culvert.json as a tree: JSON as people write it, with comments and trailing commas, read into a plain
 * value, and every field's place in the text.
 *
 * Must not: set a key that JavaScript gives a meaning to, or recurse as deep as a stranger's text tells it to.
 */
import { createScanner, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { phrase, type Phrase } from '#shared/phrase.ts';
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

const syntaxWords: Readonly<Record<string, Phrase>> = {
  InvalidSymbol: phrase('config.syntax-symbol'),
  InvalidNumberFormat: phrase('config.syntax-number'),
  PropertyNameExpected: phrase('config.syntax-name'),
  ValueExpected: phrase('config.syntax-value'),
  ColonExpected: phrase('config.syntax-colon'),
  CommaExpected: phrase('config.syntax-comma'),
  CloseBraceExpected: phrase('config.syntax-brace'),
  CloseBracketExpected: phrase('config.syntax-bracket'),
  EndOfFileExpected: phrase('config.syntax-more'),
  UnexpectedEndOfComment: phrase('config.syntax-comment'),
  UnexpectedEndOfString: phrase('config.syntax-text'),
  UnexpectedEndOfNumber: phrase('config.syntax-number-end'),
  InvalidUnicode: phrase('config.syntax-unicode'),
  InvalidEscapeCharacter: phrase('config.syntax-escape'),
  InvalidCharacter: phrase('config.syntax-character'),
};

/** Reads a text; problems are those of its syntax, keys that are given twice, and keys that cannot be. */
export function parseDocument(text: string): { document: Document } | { problems: Problem[] } {
  if (text.trim() === '') return { problems: [{ path: [], message: phrase('config.file-empty') }] };
  const tooDeep = findTooDeep(text);
  if (tooDeep !== undefined)
    return { problems: [{ path: [], place: placeAt(text, tooDeep), message: phrase('config.too-deep') }] };
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
    const message = syntaxWords[printParseErrorCode(error)] ?? phrase('config.not-json');
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

type Report = (node: Node, path: Path, message: Phrase) => void;

function valueOf(node: Node, path: Path, report: Report): unknown {
  if (node.type === 'array')
    return node.children?.map((item, index) => valueOf(item, [...path, index], report));
  if (node.type !== 'object') return node.value as unknown;
  const result: Record<string, unknown> = {};
  for (const { children } of node.children ?? []) {
    const [keyNode, valueNode] = children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    if (forbiddenKeys.has(key)) report(keyNode, [...path, key], phrase('config.key-forbidden'));
    else if (Object.hasOwn(result, key)) report(keyNode, [...path, key], phrase('config.key-twice'));
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
