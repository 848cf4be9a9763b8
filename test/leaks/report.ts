/** The table of the matrix: for the terminal and, the same at every run, for build/docs/leaks.md. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Cell {
  /** Packets that had no business on the host. */
  leaked: number;
  /** Probes that were sent; the cell of none stays empty. */
  sent: number;
}

/** Counts by row and column; rows and columns keep the order in which they are given. */
export class Matrix {
  readonly #rows: readonly string[];
  readonly #columns: readonly string[];
  readonly #cells = new Map<string, Cell>();

  constructor(rows: readonly string[], columns: readonly string[]) {
    this.#rows = rows;
    this.#columns = columns;
  }

  add(row: string, column: string, { leaked, sent }: Cell): void {
    const cell = this.#cells.get(`${row}/${column}`) ?? { leaked: 0, sent: 0 };
    this.#cells.set(`${row}/${column}`, { leaked: cell.leaked + leaked, sent: cell.sent + sent });
  }

  get isComplete(): boolean {
    return this.#cells.size === this.#rows.length * this.#columns.length;
  }

  /** A Markdown table with columns of even width, so that it is read well in a terminal as well. */
  toString(): string {
    const text = (row: string, column: string): string => {
      const cell = this.#cells.get(`${row}/${column}`);
      if (cell === undefined) return 'not run';
      return cell.sent === 0 ? '' : `${cell.leaked} of ${cell.sent}`;
    };
    const lines = [
      ['', ...this.#columns],
      ...this.#rows.map((row) => [row, ...this.#columns.map((column) => text(row, column))]),
    ];
    const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
    const format = (line: readonly string[]): string =>
      `| ${line.map((word, at) => word.padEnd(widths[at] ?? 0)).join(' | ')} |`;
    const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
    return [format(lines[0] ?? []), rule, ...lines.slice(1).map(format)].join('\n');
  }
}

/** Writes the file when its content is another one, so that a run does not touch a clean tree. */
export function keep(path: string, content: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
