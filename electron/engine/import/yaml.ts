/**
 * YAML as plain values with the lines of their items.
 *
 * Does: bound everything before the parser sees it (depth, tokens, aliases), follow aliases and merge keys up to a
 * total. Must not: resolve tags, read more than one document, or repeat any of the text in an error. A text nested
 * a few thousand deep ends the process inside of the parser, so the depth is counted on the tokens.
 */
import {
  CST,
  Lexer,
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import { phrase } from '#shared/phrase.ts';
import { limits, refuse } from './result.ts';

const most = { tokens: 400_000, aliases: 2_000, columns: 200, values: 200_000 };
const tooDeep = phrase('import-refusal.depth-most', { most: limits.depth });

/** Numbers and the like stay the text that was written: a password of digits may begin with a zero. */
export type YamlValue = string | null | YamlList | YamlMap;

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlItem[];
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, YamlItem>;
}

export interface YamlItem {
  readonly line: number;
  readonly value: YamlValue;
}

/** Reads one document. Throws `import-invalid` with the line where it is not well-formed, or the limit. */
export function parseYaml(text: string): YamlItem {
  checkTokens(text);
  const lineCounter = new LineCounter();
  const document = parse(text, lineCounter);
  const error = document.errors[0];
  if (error !== undefined)
    refuse(phrase('import-refusal.not-yaml-at', { line: lineCounter.linePos(error.pos[0]).line }));
  return new Reader(document, lineCounter).read(document.contents, 0);
}

export function listOf(item: YamlItem | undefined): readonly YamlItem[] {
  const value = item?.value;
  return typeof value === 'object' && value?.kind === 'list' ? value.items : [];
}

export function mapOf(item: YamlItem | undefined): ReadonlyMap<string, YamlItem> | undefined {
  const value = item?.value;
  return typeof value === 'object' && value?.kind === 'map' ? value.entries : undefined;
}

/** The text of a scalar; undefined for anything else. */
export function textOfItem(item: YamlItem | undefined): string | undefined {
  return typeof item?.value === 'string' ? item.value : undefined;
}

/** Whether this is the word `true` or `false`, in whatever case. */
export function isWord(item: YamlItem | undefined, word: 'true' | 'false'): boolean {
  return textOfItem(item)?.toLowerCase() === word;
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, {
      lineCounter,
      schema: 'core',
      customTags: [],
      resolveKnownTags: false,
      merge: false,
      // Comparing every key of a map with all others takes the square of their number.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
  } catch {
    // The parser throws for what it did not expect itself; its words may quote the text.
    return refuse(phrase('import-refusal.not-yaml'));
  }
}

/** Throws `import-invalid` for what is too much for the parser, and for tags and directives. */
function checkTokens(text: string): void {
  const counts = { tokens: 0, aliases: 0, flow: 0, markers: 0, documents: 0 };
  let isLineStart = true;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    counts.tokens += 1;
    if (type === 'newline') counts.markers = 0;
    if (type === 'space' && isLineStart && token.length > most.columns)
      refuse(phrase('import-refusal.indented'));
    isLineStart = type === 'newline';
    if (type === 'flow-seq-start' || type === 'flow-map-start') counts.flow += 1;
    if (type === 'flow-seq-end' || type === 'flow-map-end') counts.flow -= 1;
    if (type === 'seq-item-ind' || type === 'explicit-key-ind') counts.markers += 1;
    if (type === 'alias') counts.aliases += 1;
    if (type === 'doc-start') counts.documents += 1;
    if (type === 'tag' || type === 'directive-line') refuse(phrase('import-refusal.yaml-tags'));
    if (counts.flow > limits.depth || counts.markers > limits.depth) refuse(tooDeep);
    if (counts.aliases > most.aliases) refuse(phrase('import-refusal.aliases-most', { most: most.aliases }));
    if (counts.documents > 1) refuse(phrase('import-refusal.documents'));
    if (counts.tokens > most.tokens) refuse(phrase('import-refusal.yaml-most', { most: most.tokens }));
  }
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #lineCounter: LineCounter;
  readonly #anchors = new Map<string, Node>();
  #values = 0;

  constructor(document: Document.Parsed, lineCounter: LineCounter) {
    this.#document = document;
    this.#lineCounter = lineCounter;
  }

  read(node: unknown, depth: number): YamlItem {
    this.#values += 1;
    if (this.#values > most.values) refuse(phrase('import-refusal.values-most', { most: most.values }));
    if (depth > limits.depth) refuse(tooDeep);
    const line = this.#lineOf(node);
    if (isAlias(node)) return { line, value: this.read(this.#target(node.source), depth + 1).value };
    this.#keepAnchor(node);
    if (isScalar(node)) return { line, value: scalarOf(node) };
    if (isSeq(node))
      return { line, value: { kind: 'list', items: node.items.map((item) => this.read(item, depth + 1)) } };
    if (!isMap(node)) return { line, value: null };
    const own = new Map<string, YamlItem>();
    const merged = new Map<string, YamlItem>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const item = { ...this.read(value, depth + 1), line: this.#lineOf(key) };
      if (name === '<<')
        for (const part of mergedParts(item)) for (const [k, v] of part) if (!merged.has(k)) merged.set(k, v);
      if (name !== '<<') own.set(name, item);
    }
    for (const [name, item] of merged) if (!own.has(name)) own.set(name, item);
    return { line, value: { kind: 'map', entries: own } };
  }

  /** Anchors are kept in the order of the document, as an alias means the last one before it. */
  #keepAnchor(node: unknown): void {
    if ((isScalar(node) || isSeq(node) || isMap(node)) && node.anchor !== undefined)
      this.#anchors.set(node.anchor, node);
  }

  #target(name: string): Node {
    return this.#anchors.get(name) ?? refuse(phrase('import-refusal.no-anchor'));
  }

  #lineOf(node: unknown): number {
    const range = isScalar(node) || isSeq(node) || isMap(node) || isAlias(node) ? node.range : undefined;
    return this.#lineCounter.linePos(range?.[0] ?? this.#document.range[0]).line;
  }
}

/** The maps of a merge key: one, or a list of them, of which the first has precedence. */
function mergedParts(item: YamlItem): ReadonlyMap<string, YamlItem>[] {
  const parts = listOf(item).length > 0 ? listOf(item) : [item];
  return parts.flatMap((part) => mapOf(part) ?? []);
}

function scalarOf({ value, source, type }: Scalar): YamlValue {
  if (type === 'PLAIN') return value === null ? null : (source ?? null);
  return typeof value === 'string' ? value : null;
}
