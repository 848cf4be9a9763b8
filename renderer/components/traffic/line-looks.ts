/** What tells lines and marks apart on the graph and in its legend: never a colour alone. */
import type { HistoryMark } from '#shared/history-protocol.ts';

const stripes = ['none', 'rising', 'falling', 'upright'] as const;
export type Stripes = (typeof stripes)[number];
const dashes: readonly (readonly number[])[] = [[], [8, 3], [2, 3], [10, 3, 2, 3]];

/** How the area of a line is striped, by its place. */
export function stripesOf(place: number): Stripes {
  return stripes[place % stripes.length] ?? 'none';
}

/** How the edge of a line is dashed, by its place; lines with the same stripes differ in it. */
export function dashesOf(place: number): number[] {
  return [...(dashes[(place + Math.floor(place / stripes.length)) % dashes.length] ?? [])];
}

/** As CSS: a profile's own colour, made readable on any ground, or the one of the place. */
export function lineColour(place: number, own: string | undefined): string {
  return own === undefined ? `var(--line-${place})` : `color-mix(in srgb, ${own} 72%, var(--text))`;
}

export const markSigns: Readonly<Record<HistoryMark['kind'], string>> = {
  start: '▶',
  stop: '■',
  switch: '⇄',
  'proxy-lost': '✕',
  'proxy-back': '✓',
};
