/**
 * What became of one line or item of an import: an entry of the table that is shown.
 *
 * Must not: let control characters through to a terminal, from names either that a phrase has in it.
 */
import { inEnglish, type Phrase, type PhraseValue, type Said } from '#shared/phrase.ts';

/** `note`: something about the text that was understood but is different here, or needs a look. */
export type LineStatus = 'taken' | 'skipped' | 'invalid' | 'note';

export interface ImportLine {
  /** From 1; 0 for what concerns the text as a whole. */
  readonly line: number;
  readonly status: LineStatus;
  /** What it is; never with a password. */
  readonly text: string;
  /** The text, where there are words of ours in it. */
  readonly textPhrase?: Phrase;
  readonly reason?: string;
  readonly reasonPhrase?: Phrase;
}

const most = { text: 120, reason: 300 };

/** An entry with what it says in English, and the phrases beside it. */
export function lineOf(line: number, status: LineStatus, text: Said, reason?: Phrase): ImportLine {
  return {
    ...{ line, status, text: printable(inEnglish(text), most.text) },
    ...(typeof text === 'object' ? { textPhrase: printablePhrase(text) } : {}),
    ...(reason === undefined
      ? {}
      : { reason: printable(inEnglish(reason), most.reason), reasonPhrase: printablePhrase(reason) }),
  };
}

/** What a terminal would obey, what turns round or hides the letters beside it, and halves of characters. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line of printable text, at most `longest` characters. */
export function printable(text: string, longest = most.text): string {
  const clean = text
    .slice(0, longest * 4)
    .replace(unprintable, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const letters = Array.from(clean);
  return letters.length <= longest ? clean : `${letters.slice(0, longest - 1).join('')}…`;
}

function printablePhrase({ key, values }: Phrase): Phrase {
  const clean = Object.entries(values).map(([name, value]) => [name, printableValue(value)] as const);
  return { key, values: Object.fromEntries(clean) };
}

function printableValue(value: PhraseValue): PhraseValue {
  if (typeof value === 'string') return printable(value);
  return typeof value === 'object' && 'key' in value ? printablePhrase(value) : value;
}
