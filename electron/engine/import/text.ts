/**
 * From bytes to lines, within the limits. Must not: say anything of the text in an error.
 */
import { phrase } from '#shared/phrase.ts';
import { limits, refuse } from './result.ts';

export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without white space around it. */
  readonly text: string;
}

/**
 * The text of a file: UTF-8, or UTF-16 with a byte-order mark, with `\n` as the only end of line. Throws
 * `import-invalid` over 4 MiB and for what is not text.
 */
export function textOf(input: string | Uint8Array): string {
  const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength;
  if (bytes > limits.bytes) refuse(phrase('import-refusal.bytes-most', { bytes, most: limits.bytes }));
  const text = (typeof input === 'string' ? input : decode(input))
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n');
  if (text.includes('\0')) refuse(phrase('import-refusal.no-text'));
  return text;
}

/** The lines that are neither empty nor begin with one of the comment signs. */
export function linesOf(text: string, comments: readonly string[]): TextLine[] {
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line.trim() }));
  return lines.filter((line) => line.text !== '' && !comments.some((sign) => line.text.startsWith(sign)));
}

/** Finds the line of an offset into a text. */
export function lineFinder(text: string): (offset: number) => number {
  const ends: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) ends.push(at);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

function decode(bytes: Uint8Array): string {
  const encoding = markOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    // The decoder only says that it could not; which encoding was tried is all there is to know.
    const name = encoding === 'utf-8' ? 'UTF-8' : 'UTF-16';
    return refuse(phrase('import-refusal.other-encoding', { encoding: name }));
  }
}

function markOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/** Lines of a text; a last one needs no end. */
export function countLines(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
