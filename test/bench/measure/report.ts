/** The figures as a Markdown table, which is also what is printed. Pure: figures in, text out. */
import { goals, measurements, units, type Measurement, type Single } from './goals.ts';
import { peerNames } from './peers.ts';
import type { Comparison } from './rounds.ts';

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly comparison: Comparison;
  readonly singles: readonly Single[];
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function verdict(holds: boolean | undefined): string {
  return holds === undefined ? '' : holds ? '✓' : '✗';
}

function rowOf(measurement: Measurement, { medians }: Comparison): string[] {
  const cells = medians[measurement];
  const goal = goals[measurement];
  const [lane, peer] = [cells.culvert, goal === undefined ? undefined : cells[goal.beside]];
  const measured = lane !== undefined && peer !== undefined;
  return [
    `${measurement}, ${units[measurement].unit}`,
    ...peerNames.map((name) => number(cells[name])),
    measured ? (lane / peer).toFixed(2) : '–',
    goal?.says ?? '',
    measured ? verdict(goal?.holds(lane, peer)) : '',
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths =
    rows[0]?.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** Failed connections count against a lane, and against nobody else. */
export function isReached({ comparison, singles }: Report): boolean {
  const compared = measurements.every((measurement) => {
    const { culvert, proxychains4 } = comparison.medians[measurement];
    const goal = goals[measurement];
    if (goal === undefined) return true;
    return culvert !== undefined && proxychains4 !== undefined && goal.holds(culvert, proxychains4);
  });
  return compared && comparison.failures.culvert === 0 && singles.every(({ holds }) => holds !== false);
}

export function markdown(report: Report): string {
  const { comparison, singles } = report;
  const head = ['path', ...peerNames, 'ratio', 'goal', ''];
  const failed = peerNames.map((name) => comparison.failures[name]);
  const failures = [
    'failed connections',
    ...failed.map((count) => count?.toString() ?? '–'),
    '',
    'culvert: 0',
    '',
  ];
  failures[failures.length - 1] = verdict(failed[3] === undefined ? undefined : failed[3] === 0);
  const rows = [head, ...measurements.map((measurement) => rowOf(measurement, comparison)), failures];
  const parts = [`Measured on ${report.date}, ${report.machine}.`, table(rows)];
  if (singles.length > 0) {
    const list = singles.map(({ name, value, unit, says = '', holds }) => [
      name,
      number(value),
      unit,
      says,
      verdict(holds),
    ]);
    parts.push(table([['figure', 'value', 'unit', 'goal', ''], ...list]));
  }
  const missing = Object.entries(comparison.missing).map(([name, why]) => `- ${name}: ${why}`);
  if (missing.length > 0) parts.push(`Not measured:\n\n${missing.join('\n')}`);
  return `${parts.join('\n\n')}\n`;
}
