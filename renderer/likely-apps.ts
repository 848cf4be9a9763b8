/** Which of the apps of a computer somebody is likely to open through a proxy first. Plain functions. */
import type { AppView } from '#shared/app-protocol.ts';

/** What people use the web with, the most usual first; parts of ids and names. */
const likely = [
  ...['firefox', 'chrome', 'chromium', 'brave', 'edge', 'vivaldi', 'opera', 'librewolf', 'epiphany'],
  ...['falkon', 'konqueror', 'thunderbird', 'telegram', 'discord', 'slack', 'signal', 'element', 'evolution'],
  ...['geary', 'spotify', 'steam', 'transmission', 'qbittorrent', 'code', 'terminal', 'konsole', 'xterm'],
];
/** Where the id says nothing: what they are, in words of their own. */
const kinds = ['browser', 'mail', 'messag', 'chat', 'internet', 'web', 'network', 'terminal'];

/** The most likely ones, and then as many others as it takes. */
export function likelyApps(apps: readonly AppView[], most: number): AppView[] {
  const ranked = apps.map((app, index) => ({ app, rank: rankOf(app), index }));
  ranked.sort((one, other) => one.rank - other.rank || one.index - other.index);
  return ranked.slice(0, most).map(({ app }) => app);
}

function rankOf({ id, name, genericName = '', keywords }: AppView): number {
  const called = `${id} ${name}`.toLowerCase();
  const known = likely.findIndex((word) => called.includes(word));
  if (known !== -1) return known;
  const is = `${genericName} ${keywords.join(' ')}`.toLowerCase();
  const kind = kinds.findIndex((word) => is.includes(word));
  return kind === -1 ? likely.length + kinds.length : likely.length + kind;
}
