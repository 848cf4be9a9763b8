/**
 * Brings a change into the text of culvert.json so that what people wrote round it stays: comments, order, the way
 * it is indented. Pure.
 *
 * Every result is read again and compared with what was meant; where an edit missed it, the text is written anew.
 */
import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, parseTree, type Node } from 'jsonc-parser';
import type { Config } from '#shared/profile.ts';
import { editJson, writtenAt, type TextEdit } from './text-edit.ts';

type Path = readonly (string | number)[];

/** A value as it is written in a text. */
interface Source {
  readonly text: string;
  readonly node: Node;
}

/** More single edits than this cost more than the lists that they are in. */
const mostEdits = 40;
export const schemaName = 'culvert.schema.json';

/** A whole new file. */
export function writeAnew(config: Config): string {
  const { $schema = `./${schemaName}`, version, ...rest } = config;
  return `${JSON.stringify({ $schema, version, ...rest }, null, 2)}\n`;
}

/**
 * The text with the change from `before`, which it holds now, to `after`; undefined when that cannot be had by
 * edits. `read` reads a text back.
 */
export function editText(
  text: string,
  before: Config,
  after: Config,
  read: (text: string) => Config,
): string | undefined {
  const node = parseTree(text, [], { allowTrailingComma: true });
  const edits = editsBetween(before, after, [], node && { text, node });
  const chosen = edits.length <= mostEdits ? edits : wholeFields(before, after);
  try {
    const changed = chosen.reduce((now, edit) => editJson(now, edit, after), text);
    return isDeepStrictEqual(read(changed), after) ? changed : undefined;
  } catch {
    // The editor stumbled over the text, or what it made cannot be read: then it is written anew.
    return undefined;
  }
}

function wholeFields(before: Config, after: Config): TextEdit[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Config>;
  return [...names]
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => ({ path: [name], value: after[name] }));
}

/**
 * In an order in which each path is right once the earlier ones are done. `source` is what was before, if it was
 * written at all.
 */
function editsBetween(before: unknown, after: unknown, path: Path, source: Source | undefined): TextEdit[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      editsBetween(before[name], after[name], [...path, name], partOf(source, name)),
    );
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length > 0)
    return listEdits(before, after, path, source);
  return [{ path, value: after }];
}

function listEdits(
  before: readonly unknown[],
  after: readonly unknown[],
  path: Path,
  source: Source | undefined,
): TextEdit[] {
  const whole: TextEdit[] = [{ path, value: after }];
  const old = idsOf(before);
  const wanted = idsOf(after);
  if (old === undefined || wanted === undefined) return whole;
  const places = new Map(old.map((id, index) => [id, index]));
  // What changes its place is taken out and put in again as it was written, so that all that stays keeps what is
  // written round it.
  const staying = new Set(
    longestInOrder(
      wanted.filter((id) => places.has(id)),
      (id) => places.get(id) ?? 0,
    ),
  );
  const removals = old.flatMap((id, index) =>
    staying.has(id) ? [] : [{ path: [...path, index], value: undefined }],
  );
  const others = wanted.flatMap((id, index): TextEdit[] => {
    const place = [...path, index];
    const earlier = places.get(id);
    const item = earlier === undefined ? undefined : partOf(source, earlier);
    if (earlier === undefined || (item === undefined && !staying.has(id)))
      return [{ path: place, value: after[index], isInsertion: true }];
    const changes = editsBetween(before[earlier], after[index], place, item);
    if (item === undefined || staying.has(id)) return changes;
    const written = writtenAt(item.text, item.node);
    return [{ path: place, value: before[earlier], isInsertion: true, written }, ...changes];
  });
  return [...removals.reverse(), ...others];
}

/** The item of a list, or the value of an object's property, where it is written. */
function partOf(source: Source | undefined, part: string | number): Source | undefined {
  const node = source && findNodeAtLocation(source.node, [part]);
  return node && { text: source.text, node };
}

/** The most of these whose places rise from each to the next; each has a place of its own. */
function longestInOrder<T>(items: readonly T[], placeOf: (item: T) => number): T[] {
  interface Row {
    readonly item: T;
    readonly place: number;
    readonly before: Row | undefined;
  }
  /** By length less one: of the rows that are so long the one with the lowest place at its end. */
  const rows: Row[] = [];
  for (const item of items) {
    const place = placeOf(item);
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.place ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    rows[low] = { item, place, before: rows[low - 1] };
  }
  const longest: T[] = [];
  for (let row = rows.at(-1); row !== undefined; row = row.before) longest.push(row.item);
  return longest.reverse();
}

function idsOf(items: readonly unknown[]): string[] | undefined {
  const ids = items.map((item) => (isRecord(item) ? item['id'] : undefined));
  const isUnique = new Set(ids).size === ids.length;
  return isUnique && ids.every((id) => typeof id === 'string') ? ids : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
