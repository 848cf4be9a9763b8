/** Finding apps by what somebody types. Plain functions. */
import type { App } from './app.ts';
import { programWords } from './program.ts';

/** Weight of a match by what matched; a higher one is shown first. */
const weights = { name: 100, genericName: 60, keywords: 50, command: 40, id: 30 } as const;

/**
 * The apps that match all words of the text, best first and otherwise in the given order; all of them for an empty
 * text. A word matches a name, generic name, keyword, command or id: whole, at its beginning, at the beginning of a
 * word in it, anywhere, or with its letters in order.
 */
export function search(apps: readonly App[], text: string): App[] {
  const words = fold(text)
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, 8);
  if (words.length === 0) return [...apps];
  return apps
    .map((app, index) => ({ app, index, score: scoreOf(app, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ app }) => app);
}

function scoreOf(app: App, words: readonly string[]): number {
  const fields = fieldsOf(app);
  let total = 0;
  for (const word of words) {
    const best = Math.max(...fields.map(([text, weight]) => matchOf(text, word) * weight));
    if (best <= 0) return 0;
    total += best;
  }
  return total;
}

function fieldsOf(app: App): [string, number][] {
  return [
    [fold(app.name), weights.name],
    [fold(app.genericName ?? ''), weights.genericName],
    ...app.keywords.map((word): [string, number] => [fold(word), weights.keywords]),
    [fold(programWords(app.exec).at(-1) ?? ''), weights.command],
    [fold(app.id), weights.id],
  ];
}

/** From 0, no match, to 1, the same text. Letters in order count only from three letters on: one is in everything. */
function matchOf(text: string, word: string): number {
  if (text === '') return 0;
  if (text === word) return 1;
  const at = text.indexOf(word);
  if (at === 0) return 0.9;
  if (at > 0) return /[\s._-]/.test(text[at - 1] ?? '') ? 0.75 : 0.5;
  return word.length >= 3 ? 0.3 * inOrder(text.slice(0, 200), word) : 0;
}

/** How close together the letters of the word are where they are in order in the text; 0 where they are not. */
function inOrder(text: string, word: string): number {
  let at = text.indexOf(word[0] ?? '');
  const start = at;
  for (const letter of word.slice(1)) {
    if (at === -1) return 0;
    at = text.indexOf(letter, at + 1);
  }
  // Scattered over a long text they are chance.
  const spread = at === -1 ? Infinity : at - start + 1;
  return spread <= word.length * 3 ? word.length / spread : 0;
}

/** Without case and accents. */
function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
