/** Which rows of a list are chosen, and what keys and clicks make of it. Plain: lists of keys, nothing of the page. */

export interface Selection {
  readonly chosen: ReadonlySet<string>;
  /** Where Shift begins. */
  readonly anchor: string | undefined;
  /** The row that keys go on from. */
  readonly focused: string | undefined;
}

export interface Modifiers {
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
}

export const nothing: Selection = { chosen: new Set(), anchor: undefined, focused: undefined };

/** A click on a row: it alone, with Ctrl it too or no more, with Shift all from the anchor on. */
export function clicked(
  selection: Selection,
  keys: readonly string[],
  key: string,
  { shiftKey, ctrlKey }: Modifiers,
): Selection {
  if (shiftKey) return ranged(selection, keys, key, ctrlKey);
  if (!ctrlKey) return { chosen: new Set([key]), anchor: key, focused: key };
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(key)) chosen.add(key);
  return { chosen, anchor: key, focused: key };
}

/** An arrow key to a row: it alone, with Shift all from the anchor on, with Ctrl the focus goes there and no more. */
export function stepped(
  selection: Selection,
  keys: readonly string[],
  key: string,
  { shiftKey, ctrlKey }: Modifiers,
): Selection {
  if (shiftKey) return ranged(selection, keys, key, ctrlKey);
  return ctrlKey ? { ...selection, focused: key } : { chosen: new Set([key]), anchor: key, focused: key };
}

export function all(selection: Selection, keys: readonly string[]): Selection {
  return { ...selection, chosen: new Set(keys) };
}

function ranged(selection: Selection, keys: readonly string[], key: string, isAdded: boolean): Selection {
  const { anchor = selection.focused ?? key } = selection;
  const [from, to] = [keys.indexOf(anchor), keys.indexOf(key)].toSorted((a, b) => a - b);
  const range = from === undefined || from < 0 ? [key] : keys.slice(from, (to ?? from) + 1);
  return { chosen: new Set([...(isAdded ? selection.chosen : []), ...range]), anchor, focused: key };
}

interface Keyed {
  readonly key: string;
}

/** The same after the list has become another one: what is gone is chosen no more; the focus goes to who took its place. */
export function kept(selection: Selection, before: readonly Keyed[], now: readonly Keyed[]): Selection {
  const { chosen, anchor, focused } = selection;
  if (chosen.size === 0 && focused === undefined) return selection;
  const there = new Set<string>();
  for (const { key } of now) if (key === focused || key === anchor || chosen.has(key)) there.add(key);
  const isLost = focused !== undefined && !there.has(focused);
  const areAllThere = [...chosen].every((key) => there.has(key));
  if (!isLost && areAllThere) return selection;
  return {
    chosen: areAllThere ? chosen : new Set([...chosen].filter((key) => there.has(key))),
    anchor: anchor !== undefined && there.has(anchor) ? anchor : undefined,
    focused: isLost ? successorOf(focused, before, now) : focused,
  };
}

function successorOf(key: string, before: readonly Keyed[], now: readonly Keyed[]): string | undefined {
  const at = before.findIndex((row) => row.key === key);
  return now[Math.min(Math.max(0, at), now.length - 1)]?.key;
}
