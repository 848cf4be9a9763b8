/** The figures of the graph as a table and as text for spreadsheets. Pure. */
import { indexesIn, sumIn, type Picture, type Span, type TrafficLine } from './traffic-picture.ts';

/** A table that can be read has no more rows than this; buckets are added together until it fits. */
const maxRows = 60;
const minute = 60;
const lengths = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 4, 8, 12, 24].map((hours) => hours * 60 * minute),
];

export interface TableRow {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly isUnknown: boolean;
  readonly up: number;
  readonly down: number;
  /** Bytes of each line, in their order. */
  readonly cells: readonly { readonly up: number; readonly down: number }[];
}

/** The rows of a span, newest first: together they have every byte that the graph has there. */
export function rowsOf(picture: Picture, lines: readonly TrafficLine[], span: Span): TableRow[] {
  const [first, end] = indexesIn(picture, span);
  const { stepMs, from } = picture;
  const fits = lengths.find(
    (seconds) =>
      (seconds * 1000) % stepMs === 0 && ((end - first) * stepMs) / (seconds * 1000) <= maxRows - 1,
  );
  const lengthMs = (fits ?? 86_400) * 1000;
  const rows: TableRow[] = [];
  for (let index = first; index < end;) {
    const start = from + index * stepMs;
    // Rows begin at full minutes and hours.
    const border = (Math.floor(start / lengthMs) + 1) * lengthMs;
    const next = Math.min(end, Math.max(index + 1, Math.round((border - from) / stepMs)));
    const slice = (values: readonly number[]): number => sumIn(values.slice(index, next));
    const cells = lines.map(({ up, down }) => ({ up: slice(up), down: slice(down) }));
    const row: TableRow = {
      ...{ from: start, to: from + next * stepMs, cells },
      isUnknown: picture.isUnknown.slice(index, next).every(Boolean),
      up: sumIn(cells.map(({ up }) => up)),
      down: sumIn(cells.map(({ down }) => down)),
    };
    const before = rows.at(-1);
    // A night of sleep is one row.
    if (row.isUnknown && before?.isUnknown === true) rows.splice(-1, 1, { ...before, to: row.to });
    else rows.push(row);
    index = next;
  }
  return rows.toReversed();
}

export interface CsvWords {
  readonly from: string;
  readonly to: string;
  readonly down: string;
  readonly up: string;
}

/** Comma-separated values (RFC 4180): a row for each bucket, with the bytes of each line; empty where nothing is known. */
export function csvOf(picture: Picture, lines: readonly TrafficLine[], span: Span, words: CsvWords): string {
  const [first, end] = indexesIn(picture, span);
  const { from, stepMs, isUnknown } = picture;
  const heads = lines.flatMap(({ name }) => [`${name} ${words.down}`, `${name} ${words.up}`]);
  const rows = [[words.from, words.to, words.down, words.up, ...heads]];
  for (let index = first; index < end; index += 1) {
    const [start, stop] = [from + index * stepMs, from + (index + 1) * stepMs];
    const times = [new Date(start).toISOString(), new Date(stop).toISOString()];
    const all = (way: 'up' | 'down') => sumIn(lines.map((line) => line[way][index] ?? 0));
    const figures = [
      ...[all('down'), all('up')],
      ...lines.flatMap(({ down, up }) => [down[index] ?? 0, up[index] ?? 0]),
    ];
    rows.push([...times, ...figures.map((bytes) => (isUnknown[index] === true ? '' : String(bytes)))]);
  }
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** A name that begins like a formula is one for some programs. */
function field(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
