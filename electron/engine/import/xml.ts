/**
 * XML as a small tree with the lines of its elements.
 *
 * Does: bound the depth, decode the five entities and characters by number. Must not: read a document type
 * declaration, entities of its own or anything outside of the text; repeat any of the text in an error.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { phrase } from '#shared/phrase.ts';
import { limits, refuse } from './result.ts';
import { lineFinder } from './text.ts';

export interface XmlElement {
  readonly name: string;
  readonly line: number;
  /** By their names in small letters. */
  readonly attributes: ReadonlyMap<string, string>;
  /** All text directly inside, without white space around it. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const attributesKey = ':@';
const textKey = '#text';
const literalKey = '#cdata';

/** What takes the parser seconds; a profile with thousands of rules has a tenth of it. */
const most = { tags: 200_000, attributes: 200_000 };

/** Reads a document and answers its root. Throws `import-invalid` with the line where it is not well-formed. */
export function parseXml(text: string): XmlElement {
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) refuse(phrase('import-refusal.document-type'));
  if (countOf(text, '<') > most.tags) refuse(phrase('import-refusal.tags-most', { most: most.tags }));
  if (countOf(text, '=') > most.attributes)
    refuse(phrase('import-refusal.attributes-most', { most: most.attributes }));
  const nodes = parseNodes(text);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is another package; this one is bundled
  const checked = XMLValidator.validate(text);
  if (checked !== true) refuse(phrase('import-refusal.not-xml-at', { line: checked.err.line }));
  const lineOf = lineFinder(text);
  const roots = nodes.flatMap((node) => elementOf(node, lineOf));
  return roots[0] ?? refuse(phrase('import-refusal.no-element'));
}

/** The first element of this name, in whatever case. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name.toLowerCase() === name);
}

export function childText(element: XmlElement, name: string): string {
  return childOf(element, name)?.text ?? '';
}

function countOf(text: string, sign: string): number {
  let count = 0;
  for (let at = text.indexOf(sign); at !== -1; at = text.indexOf(sign, at + 1)) count += 1;
  return count;
}

type Node = Readonly<Record<string | symbol, unknown>>;

function parseNodes(text: string): Node[] {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    textNodeName: textKey,
    cdataPropName: literalKey,
    processEntities: false,
    parseTagValue: false,
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    captureMetaData: true,
    maxNestedTags: limits.depth,
  });
  try {
    const nodes: unknown = parser.parse(text);
    return Array.isArray(nodes) ? (nodes as Node[]) : [];
  } catch {
    // The parser's words quote the text, which may hold a password.
    return refuse(phrase('import-refusal.not-xml', { most: limits.depth }));
  }
}

function elementOf(node: Node, lineOf: (offset: number) => number): XmlElement[] {
  const name = Object.keys(node).find(
    (key) => key !== attributesKey && key !== textKey && key !== literalKey,
  );
  if (name === undefined) return [];
  const inner = Array.isArray(node[name]) ? (node[name] as Node[]) : [];
  const attributes = Object.entries((node[attributesKey] ?? {}) as Record<string, unknown>);
  const place = node[XMLParser.getMetaDataSymbol() as unknown as symbol] as
    { startIndex?: number } | undefined;
  return [
    {
      name,
      line: lineOf(place?.startIndex ?? 0),
      attributes: new Map(attributes.map(([key, value]) => [key.toLowerCase(), decode(stringOf(value))])),
      text: inner.map(textOfNode).join('').trim(),
      children: inner.flatMap((child) => elementOf(child, lineOf)),
    },
  ];
}

function textOfNode(node: Node): string {
  if (node[textKey] !== undefined) return decode(stringOf(node[textKey]));
  const literal = node[literalKey];
  return Array.isArray(literal) ? literal.map((part) => stringOf((part as Node)[textKey])).join('') : '';
}

/** Values are text, as the parser is told to parse none. */
function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));/gi,
    (all, hex, decimal, name) => {
      if (typeof name === 'string') return entities[name.toLowerCase()] ?? all;
      const code = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}
