/** Amounts as people type them to compare with: `>1MB`, `<=30s`. Pure. */
import { phrase, type Phrase } from './phrase.ts';

export interface Unit {
  /** The amount in bytes or milliseconds; undefined for what is none. */
  readonly parse: (text: string) => number | undefined;
  /** How it is typed, for those who have typed something else. */
  readonly hint: 'query.size' | 'query.age';
}

/** `10`, `10B`, `1.5kB`, `1k` (thousands), `1KiB` (1024s). */
export const sizes: Unit = {
  parse: parseBytes,
  hint: 'query.size',
};

/** `30s`, `5m`, `1h30m`, `2d`, `500ms`. */
export const durations: Unit = {
  parse: parseDuration,
  hint: 'query.age',
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

/** Reads `>1MB`. A phrase is the reason why it cannot be read. */
export function readComparison(text: string, { parse, hint }: Unit): ((amount: number) => boolean) | Phrase {
  const [, operator = '', limitText = ''] = /^([<>]=?)(.*)$/.exec(text) ?? [];
  const compare = comparisons[operator];
  const limit = parse(limitText);
  if (compare === undefined || limit === undefined) return phrase(hint, { value: text });
  return (amount) => compare(amount, limit);
}

function parseBytes(text: string): number | undefined {
  const [, number, unit = '', base] = /^([0-9]+(?:\.[0-9]+)?)([kmgt]?)(i?b)?$/i.exec(text) ?? [];
  const isBinary = base?.length === 2;
  if (number === undefined || (isBinary && unit === '')) return undefined;
  const power = unit === '' ? 0 : ' kmgt'.indexOf(unit.toLowerCase());
  return Number(number) * (isBinary ? 1024 : 1000) ** power;
}

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseDuration(text: string): number | undefined {
  if (!/^(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhd]))+$/i.test(text)) return undefined;
  const parts = [...text.toLowerCase().matchAll(/([0-9.]+)(ms|[smhd])/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (unitsMs[unit ?? ''] ?? 0), 0);
}
