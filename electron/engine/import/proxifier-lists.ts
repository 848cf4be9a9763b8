/**
 * The lists of a rule of Proxifier: `chrome.exe; "my app"`, `*.example.com; 10.0.0.0-10.0.0.255`, `80; 8000-8100`.
 *
 * Does: take what has a counterpart, and say what has none. Must not: turn a list of which nothing could be taken
 * into none, which would mean everything.
 */
import { phrase, type Said } from '#shared/phrase.ts';
import type { RuleMatch } from '#shared/profile.ts';
import { isOwnLoopback, readHostPattern, readPorts, readRange, readSpan, type Read } from './addresses.ts';
import type { Draft } from './result.ts';

export interface Taken {
  readonly value: RuleMatch;
  /** The file has a list, but nothing of it is left. */
  readonly isEmpty: boolean;
  /** How many items could not be taken. */
  readonly lost: number;
}

/** Names of programs, with `*`; the directory and `.exe` are left out. */
export function takeApplications(draft: Draft, line: number, shown: Said, text: string): Taken {
  const items = itemsOf(text);
  const apps: string[] = [];
  let lost = 0;
  for (const item of items) {
    const read = readApplication(item);
    if (read.ok) apps.push(read.value);
    else {
      lost += 1;
      draft.say(line, 'skipped', phrase('proxifier.applications-of', { what: shown }), read.reason);
    }
  }
  if (items.some((item) => /\.exe$/i.test(item))) {
    draft.say(line, 'note', shown, phrase('proxifier.windows-programs'));
  }
  // Only names of processes have patterns, and all parts of a rule must match: a mixed list goes there as a whole.
  const hasPattern = apps.some((app) => app.includes('*'));
  const value = hasPattern ? { processes: apps.map(commOf) } : { apps };
  return { value: apps.length === 0 ? {} : value, isEmpty: items.length > 0 && apps.length === 0, lost };
}

/** Names, patterns, addresses and ranges. */
export function takeTargets(draft: Draft, line: number, shown: Said, text: string): Taken {
  const items = itemsOf(text);
  const to: string[] = [];
  let lost = 0;
  for (const item of items) {
    const what = phrase('proxifier.target-in', { what: shown, item });
    if (isOwnLoopback(item) || /^%computername%$/i.test(item)) {
      draft.say(line, 'note', what, phrase('import.own-loopback'));
      continue;
    }
    const read = readTarget(item);
    if (read.ok) to.push(...read.value);
    else {
      lost += 1;
      draft.say(line, 'skipped', what, read.reason);
    }
  }
  return { value: to.length === 0 ? {} : { to }, isEmpty: items.length > 0 && to.length === 0, lost };
}

export function takePorts(draft: Draft, line: number, shown: Said, text: string): Taken {
  const items = itemsOf(text);
  const ports: string[] = [];
  let lost = 0;
  for (const item of items) {
    const read = readPorts(item);
    if (read.ok) ports.push(read.value);
    else {
      lost += 1;
      draft.say(line, 'skipped', phrase('proxifier.port-in', { what: shown, item }), read.reason);
    }
  }
  return {
    value: ports.length === 0 ? {} : { ports },
    isEmpty: items.length > 0 && ports.length === 0,
    lost,
  };
}

/** Name of a process as the kernel keeps it: 15 bytes (TASK_COMM_LEN, proc(5)). */
export function commOf(name: string): string {
  if (Buffer.byteLength(name) <= 15 || name.includes('*')) return name;
  let cut = name;
  while (Buffer.byteLength(cut) > 15) cut = Array.from(cut).slice(0, -1).join('');
  return cut;
}

/** “Any” and an empty list both mean everything. */
function itemsOf(text: string): string[] {
  const items = text.split(/[;,\n]/).map((item) => unquote(item.trim()));
  return items.filter((item) => item !== '' && item.toLowerCase() !== 'any');
}

function unquote(item: string): string {
  return item.length > 1 && item.startsWith('"') && item.endsWith('"') ? item.slice(1, -1).trim() : item;
}

function readApplication(item: string): Read<string> {
  const name = item.slice(Math.max(item.lastIndexOf('/'), item.lastIndexOf('\\')) + 1).replace(/\.exe$/i, '');
  if (name === '' || name.length > 64) return { ok: false, reason: phrase('clash.not-program') };
  if (name.includes('?')) return { ok: false, reason: phrase('address.question-mark') };
  return /^\*+$/.test(name)
    ? { ok: false, reason: phrase('proxifier.every-program') }
    : { ok: true, value: name };
}

function readTarget(item: string): Read<string[]> {
  const range = readRange(item);
  if (range.ok) return { ok: true, value: [range.value] };
  const dash = item.indexOf('-');
  if (dash !== -1) {
    const span = readSpan(item.slice(0, dash).trim(), item.slice(dash + 1).trim());
    if (span.ok || span.reason.key === phrase('address.span-order').key) return span;
  }
  const name = readHostPattern(item);
  return name.ok ? { ok: true, value: [name.value] } : name;
}
