/**
 * The text of a desktop entry (Desktop Entry Specification 1.5) as groups and keys.
 *
 * Does: keep every key as it is written, tell which lines it passed over, and read values as strings, lists,
 * booleans and in the user's languages. Must not: read files, or understand what a key is for.
 */
import { CulvertError } from '#shared/failure.ts';

/** Largest text that is read, in UTF-16 units; real ones have some 30,000 at most. */
export const maxEntryLength = 1024 * 1024;

/** A line that does not count, and why. Lines are counted from 1. */
export interface IgnoredLine {
  readonly line: number;
  readonly reason: string;
}

/** Keys as they are written, with the locale in brackets (`Name[de]`), and their values with the escapes in them. */
export type EntryGroup = ReadonlyMap<string, string>;

export interface DesktopEntry {
  readonly groups: ReadonlyMap<string, EntryGroup>;
  readonly ignored: readonly IgnoredLine[];
}

interface Written {
  readonly value: string;
  readonly line: number;
}

const groupPattern = /^\[([^[\]\p{Cc}]+)\]\s*$/u;
const keyPattern = /^([A-Za-z0-9-]+(?:\[[A-Za-z0-9_.@-]+\])?)[ \t]*=[ \t]*(.*)$/s;

/**
 * Reads the text of an entry. Groups of one name are joined and of two equal keys the later counts, as in GLib,
 * so that Culvert starts what the desktop would. Throws `entry-invalid` when it is too long.
 */
export function parseDesktopEntry(text: string): DesktopEntry {
  if (text.length > maxEntryLength) throw invalid(`it is longer than ${maxEntryLength} characters`);
  const groups = new Map<string, Map<string, Written>>();
  const ignored: IgnoredLine[] = [];
  let group: Map<string, Written> | undefined;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = index + 1;
    const written = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (written.trim() === '' || written.startsWith('#')) continue;
    if (written.startsWith('[')) {
      group = openGroup(groups, written);
      if (group === undefined) ignored.push({ line, reason: 'not a group: what follows it is ignored' });
      continue;
    }
    const [, key, value] = keyPattern.exec(written) ?? [];
    if (key === undefined || value === undefined)
      ignored.push({ line, reason: 'neither key, group nor comment' });
    else if (value.includes('\0')) ignored.push({ line, reason: 'the value has a NUL in it' });
    else if (group === undefined) ignored.push({ line, reason: 'a key outside of any group' });
    else {
      const before = group.get(key);
      if (before !== undefined) ignored.push({ line: before.line, reason: `${key} is given again below` });
      group.set(key, { value, line });
    }
  }
  return { groups: plain(groups), ignored: ignored.sort((a, b) => a.line - b.line) };
}

function openGroup(
  groups: Map<string, Map<string, Written>>,
  written: string,
): Map<string, Written> | undefined {
  const name = groupPattern.exec(written)?.[1];
  if (name === undefined) return undefined;
  const group = groups.get(name) ?? new Map<string, Written>();
  groups.set(name, group);
  return group;
}

function plain(groups: ReadonlyMap<string, ReadonlyMap<string, Written>>): Map<string, EntryGroup> {
  return new Map(
    [...groups].map(([name, keys]) => [name, new Map([...keys].map(([key, { value }]) => [key, value]))]),
  );
}

const escapes: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };

/** The value of type string: `\s \n \t \r \\` resolved; any other backslash stays, as in GLib. */
export function unescapeValue(value: string): string {
  return value.includes('\\')
    ? value.replaceAll(/\\(.)/gs, (whole, letter: string) => escapes[letter] ?? whole)
    : value;
}

/** The value of type list: parted by `;`, where `\;` is one of the text; empty parts do not count. */
export function listOf(value: string | undefined): string[] {
  const parts: string[] = [];
  let part = '';
  // Step by step: an expression would need a stack as deep as the value is long.
  for (let at = 0; value !== undefined && at <= value.length; at += 1) {
    const letter = value[at];
    if (letter === undefined || letter === ';') {
      if (part !== '') parts.push(part);
      part = '';
    } else if (letter === '\\' && at + 1 < value.length) {
      at += 1;
      const next = value[at] ?? '';
      part += next === ';' ? ';' : (escapes[next] ?? `\\${next}`);
    } else part += letter;
  }
  return parts;
}

/** The value of type boolean; `1` is how old entries write it. */
export function isTrue(value: string | undefined): boolean {
  const written = value?.trim();
  return written === 'true' || written === '1';
}

/** The raw value of a key in the first of the locales that has it, else the one without a locale. */
export function localizedValue(
  group: EntryGroup,
  key: string,
  locales: readonly string[],
): string | undefined {
  for (const locale of locales) {
    const value = group.get(`${key}[${locale}]`);
    if (value !== undefined) return value;
  }
  return group.get(key);
}

/**
 * What keys may be localized with for one locale, best first: `lang_COUNTRY@MODIFIER`, `lang_COUNTRY`,
 * `lang@MODIFIER`, `lang` (Desktop Entry Specification §5). The encoding is passed over. None for C and POSIX.
 */
export function localeVariants(locale: string): string[] {
  const match =
    /^([A-Za-z]{2,8})(?:[_-]([A-Za-z0-9]{2,8}))?(?:\.[A-Za-z0-9_-]+)?(?:@([A-Za-z0-9_=;-]+))?$/.exec(locale);
  const [, lang, country, modifier] = match ?? [];
  if (lang === undefined || lang === 'POSIX') return [];
  const withCountry = country === undefined ? [] : [`${lang}_${country}`];
  const withModifier = (name: string) => (modifier === undefined ? [] : [`${name}@${modifier}`]);
  return [...withCountry.flatMap(withModifier), ...withCountry, ...withModifier(lang), lang];
}

/**
 * The locales of the session, best first: `LANGUAGE` (a list, gettext's own), else the first that is set of
 * LC_ALL, LC_MESSAGES and LANG (locale(7)). In the C locale LANGUAGE does not count.
 */
export function localesOf(env: NodeJS.ProcessEnv): string[] {
  const set = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  const own = localeVariants(set ?? '');
  if (own.length === 0) return [];
  const preferred = (env['LANGUAGE'] ?? '').split(':').flatMap(localeVariants);
  return [...new Set([...preferred, ...own])];
}

function invalid(detail: string): CulvertError {
  return new CulvertError('entry-invalid', { detail });
}
