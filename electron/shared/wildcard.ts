/** Texts in which `*` stands for any characters, none included: names of hosts and of processes. */

/** The literal pieces between the stars; the first and the last are empty where a star is at that end. */
export type Wildcard = readonly string[];

export function parseWildcard(text: string): Wildcard {
  return text.split(/\*+/);
}

/** Whether the whole text fits; takes the leftmost place for each piece, so it never goes back. */
export function fits(wildcard: Wildcard, text: string): boolean {
  const last = wildcard.length - 1;
  const head = wildcard[0] ?? '';
  const tail = wildcard[last] ?? '';
  if (last === 0) return text === head;
  const end = text.length - tail.length;
  if (head.length > end || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (let i = 1; i < last; i++) {
    const piece = wildcard[i] ?? '';
    const at = text.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

/**
 * Whether whatever fits the other fits this one. The other is read as a text whose stars only a star can take,
 * as no literal has one.
 */
export function fitsAll(wildcard: Wildcard, other: Wildcard): boolean {
  return fits(wildcard, other.join('*'));
}
