/**
 * Single changes in a JSON text with comments, each of which touches its own place only: neighbours, their comments
 * and their layout stay. (The editor that comes with the parser lays neighbours out anew and takes the comments
 * before them away.) Pure; a text of a form that is not foreseen gives a wrong text, which the caller has to check.
 */
import { createScanner, parseTree, type Node } from 'jsonc-parser';

export interface TextEdit {
  readonly path: readonly (string | number)[];
  /** Undefined takes the place away. */
  readonly value: unknown;
  /** Into a list, before what is at this place now. */
  readonly isInsertion?: boolean;
  /** How an inserted value was written at the place that it had, to be put in so again. */
  readonly written?: Written;
}

/** A value as somebody wrote it, comments included. */
export interface Written {
  readonly text: string;
  /** The comment behind it on its line, with the blanks before it. */
  readonly comment: string;
}

/** `SyntaxKind.CommaToken` of jsonc-parser, whose enum is there for its own compiler only. */
const comma = 5;

/**
 * The text after the change. What is not there around the place comes with it, out of `whole`, the value that the text
 * is to have in the end. Throws where there is no place for it.
 */
export function editJson(
  text: string,
  { path, value, isInsertion = false, written }: TextEdit,
  whole: unknown,
): string {
  let node = parseTree(text, [], { allowTrailingComma: true });
  if (node === undefined) throw new Error('no text to change');
  for (const [depth, part] of path.entries()) {
    const isLast = depth === path.length - 1;
    const child: Node | undefined = isInsertion && isLast ? undefined : childOf(node, part);
    if (child !== undefined && isLast && value === undefined) return remove(text, node, child);
    if (child === undefined) {
      if (value === undefined) return text;
      if (isLast && written !== undefined)
        return insert(text, node, part, () => written.text, written.comment);
      const wanted = isLast ? value : valueAt(whole, path.slice(0, depth + 1));
      return insert(text, node, part, (margin) => layOut(text, wanted, margin));
    }
    node = child.type === 'property' ? (child.children?.[1] ?? child) : child;
  }
  const { offset } = node;
  return splice(text, offset, offset + node.length, layOut(text, value, marginAt(text, offset)));
}

function valueAt(whole: unknown, path: TextEdit['path']): unknown {
  return path.reduce((value, part) => (value as Record<string | number, unknown>)[part], whole);
}

/** What is written at the place of this item of a list. */
export function writtenAt(text: string, { offset, length }: Node): Written {
  const end = offset + length;
  const from = commaAfter(text, end) ?? end;
  return { text: text.slice(offset, end), comment: text.slice(from, endOfLineComment(text, from)) };
}

/** The item of a list, or the property of an object with its name. */
function childOf(node: Node, part: string | number): Node | undefined {
  if (typeof part === 'number') return node.children?.[part];
  return node.children?.find(({ children }) => children?.[0]?.value === part);
}

/** Puts in what `layOutAt` makes of the margin there, with the comment behind it. */
function insert(
  text: string,
  holder: Node,
  part: string | number,
  layOutAt: (margin: string) => string,
  comment = '',
): string {
  const children = holder.children ?? [];
  const name = typeof part === 'number' ? '' : `${JSON.stringify(part)}: `;
  const next = typeof part === 'number' ? children[part] : undefined;
  const last = children.at(-1);
  if (last === undefined) return insertFirst(text, holder, name, layOutAt);
  const neighbour = next ?? last;
  const margin = marginAt(text, neighbour.offset);
  const newLine = `${eolOf(text)}${margin}`;
  const gap = isFirstOnLine(text, neighbour.offset) ? newLine : ' ';
  const added = `${name}${layOutAt(margin)}`;
  if (next !== undefined) {
    const between = comment === '' ? gap : `${comment}${newLine}`;
    return splice(text, next.offset, next.offset, `${added},${between}`);
  }
  const end = last.offset + last.length;
  const old = commaAfter(text, end);
  // Behind the comment that the last one has on its line.
  const place = endOfLineComment(text, old ?? end);
  const between = old === undefined ? `,${text.slice(end, place)}` : text.slice(end, place);
  const isLineDone = /^[ \t]*\r?\n/.test(text.slice(place));
  const behind = comment === '' || isLineDone ? comment : `${comment}${eolOf(text)}`;
  return splice(text, end, place, `${between}${place === (old ?? end) ? gap : newLine}${added}${behind}`);
}

function insertFirst(text: string, holder: Node, name: string, layOutAt: (margin: string) => string): string {
  const margin = marginAt(text, holder.offset);
  const inner = `${margin}${indentOf(text)}`;
  const from = holder.offset + 1;
  const blank = /^\s*/.exec(text.slice(from, holder.offset + holder.length))?.[0].length ?? 0;
  const eol = eolOf(text);
  const added = `${eol}${inner}${name}${layOutAt(inner)}${eol}${margin}`;
  return splice(text, from, from + blank, added);
}

function remove(text: string, holder: Node, child: Node): string {
  const children = holder.children ?? [];
  const before = children[children.indexOf(child) - 1];
  const end = child.offset + child.length;
  const ownComma = commaAfter(text, end);
  const isLast = child === children.at(-1);
  const [from, to] = wholeLines(text, child.offset, ownComma ?? end);
  const shortened = splice(text, from, to, '');
  if (!isLast || before === undefined || ownComma !== undefined) return shortened;
  // What is last now had a comma for the sake of this one.
  const spare = commaAfter(text, before.offset + before.length);
  return spare === undefined ? shortened : splice(shortened, spare - 1, spare, '');
}

/** A range, widened by the comment behind it and to whole lines where nothing else is on them. */
function wholeLines(text: string, offset: number, end: number): [number, number] {
  const behind = endOfLineComment(text, end);
  const rest = /^[ \t]*(\r?\n)?/.exec(text.slice(behind));
  const to = behind + (rest?.[0].length ?? 0);
  if (!isFirstOnLine(text, offset)) return [offset, rest?.[1] === undefined ? to : behind];
  return rest?.[1] === undefined ? [offset, to] : [lineStart(text, offset), to];
}

/** The place behind the comma that follows, over comments; undefined where none does. */
function commaAfter(text: string, end: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(end);
  const token: number = scanner.scan();
  return token === comma ? scanner.getPosition() : undefined;
}

function endOfLineComment(text: string, from: number): number {
  const comment = /[ \t]*\/\/[^\r\n]*/y;
  comment.lastIndex = from;
  return comment.test(text) ? comment.lastIndex : from;
}

function layOut(text: string, value: unknown, margin: string): string {
  return JSON.stringify(value, null, indentOf(text)).replaceAll('\n', `${eolOf(text)}${margin}`);
}

function indentOf(text: string): string {
  return /[[{][ \t]*\r?\n([ \t]+)/.exec(text)?.[1] ?? '  ';
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function marginAt(text: string, offset: number): string {
  return /^\ufeff?([ \t]*)/.exec(text.slice(lineStart(text, offset), offset))?.[1] ?? '';
}

function isFirstOnLine(text: string, offset: number): boolean {
  return /^\ufeff?[ \t]*$/.test(text.slice(lineStart(text, offset), offset));
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function splice(text: string, from: number, to: number, put: string): string {
  return text.slice(0, from) + put + text.slice(to);
}
