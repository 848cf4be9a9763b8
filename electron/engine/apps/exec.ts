/**
 * The Exec key of a desktop entry as the argument vectors to start (Desktop Entry Specification §6, §7).
 *
 * Does, in this order: resolve the escapes of strings, part and unquote, expand the field codes of each argument.
 * Must not: use a shell, or let what a field code stands for be read as anything but one argument.
 */
import { fileURLToPath } from 'node:url';
import { CulvertError } from '#shared/failure.ts';
import { unescapeValue } from './desktop-entry.ts';

/** What the field codes of one entry stand for. */
export interface ExecFacts {
  /** `%c`: the name in the user's language. */
  readonly name: string;
  /** `%i`. */
  readonly icon?: string | undefined;
  /** `%k`: where the entry is. */
  readonly source?: string | undefined;
  /** Absolute paths and URLs to open. */
  readonly targets?: readonly string[] | undefined;
}

/** One argument before its field codes are expanded. */
interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

type Program = readonly [string, ...string[]];
const maxProcesses = 64;

/**
 * The argument vectors that start an entry: one, or one for each target where the entry takes a single one.
 * `exec` is the raw value. Throws `entry-invalid` with the reason.
 */
export function execArgvs(exec: string, facts: ExecFacts): [Program, ...Program[]] {
  if (exec.trim() === '') throw invalid('it has no command: its app is started by the session bus, outside');
  const words = withoutEmptyForwarding(splitExec(unescapeValue(exec)), facts.targets ?? []);
  const targets = facts.targets ?? [];
  const full =
    targets.length > 0 && !words.some(takesTargets) ? [...words, { text: '%f', isQuoted: false }] : words;
  const isSingle = full.some(({ text }) => isSingleCode(text));
  const groups = isSingle && targets.length > 1 ? targets.map((target) => [target]) : [targets];
  if (groups.length > maxProcesses) throw invalid(`it would be started ${groups.length} times`);
  const [first = programOf(full, facts, []), ...more] = groups.map((group) => programOf(full, facts, group));
  return [first, ...more];
}

function programOf(words: readonly Word[], facts: ExecFacts, targets: readonly string[]): Program {
  const [program, ...rest] = words.flatMap((word) => expand(word, facts, targets));
  if (program === undefined || program === '') throw invalid('it has no command');
  return [program, ...rest];
}

/** What targets the command of an entry takes, by its field codes. */
export function takenBy(exec: string): 'urls' | 'files' | 'none' {
  const codes = new Set(
    [...unescapeValue(exec).replaceAll('%%', '').matchAll(/%(.)/gs)].map(([, code]) => code),
  );
  if (codes.has('u') || codes.has('U')) return 'urls';
  return codes.has('f') || codes.has('F') ? 'files' : 'none';
}

/**
 * Parts a command at its blanks. Quotes may also stand inside an argument, single ones included, and a backslash
 * outside of them takes the next character as it is: the specification has less, real entries (Wine's) need this.
 * Other characters of a shell have no meaning.
 */
function splitExec(command: string): Word[] {
  const words: Word[] = [];
  let word: { text: string; isQuoted: boolean } | undefined;
  let quote: string | undefined;
  for (let at = 0; at < command.length; at += 1) {
    const letter = command[at] ?? '';
    const next = command[at + 1];
    if (quote === undefined && /[ \t\n\r]/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= { text: '', isQuoted: false };
    if (letter === quote) quote = undefined;
    else if (quote === undefined && (letter === '"' || letter === "'")) {
      quote = letter;
      word.isQuoted = true;
    } else if (letter === '\\' && isEscape(quote, next)) {
      word.text += next ?? '';
      at += 1;
    } else word.text += letter;
  }
  if (quote !== undefined) throw invalid(`the quote ${quote} of its command has no end`);
  if (word !== undefined) words.push(word);
  return words;
}

function isEscape(quote: string | undefined, next: string | undefined): boolean {
  if (next === undefined || quote === "'") return false;
  return quote === undefined || '"`$\\'.includes(next);
}

/**
 * `flatpak run --file-forwarding` finds the files between `@@` (or `@@u`) and `@@`; without any the markers go
 * together with the code between them (flatpak-run(1)).
 */
function withoutEmptyForwarding(words: readonly Word[], targets: readonly string[]): Word[] {
  if (targets.length > 0) return [...words];
  const kept: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    const end = isMarker(word) ? words.findIndex(({ text }, index) => index > at && text === '@@') : -1;
    const isEmpty = end !== -1 && words.slice(at + 1, end).every(({ text }) => /^%[fFuU]$/.test(text));
    if (isEmpty) at = end;
    else kept.push(word);
  }
  return kept;
}

function isMarker({ text }: Word): boolean {
  return text === '@@' || text === '@@u';
}

function takesTargets({ text }: Word): boolean {
  return /%[fFuU]/.test(text.replaceAll('%%', ''));
}

/** `%F` and `%U` take many only as an argument of their own; elsewhere they stand for one. */
function isSingleCode(text: string): boolean {
  return text !== '%F' && text !== '%U' && takesTargets({ text, isQuoted: false });
}

function expand({ text, isQuoted }: Word, facts: ExecFacts, targets: readonly string[]): string[] {
  switch (text) {
    case '%f':
    case '%F':
      return targets.map(pathOf);
    case '%u':
    case '%U':
      return [...targets];
    case '%i':
      return facts.icon === undefined || facts.icon === '' ? [] : ['--icon', facts.icon];
    default:
  }
  if (/^%[dDnNvm]$/.test(text)) return [];
  // What is quoted may be a command of its own (`sh -c "app %u"`), in which a target could say anything.
  if (isQuoted && targets.length > 0 && takesTargets({ text, isQuoted })) {
    throw invalid('it has a field code for files inside of a quoted argument');
  }
  return [text.replaceAll(/%(.?)/gs, (_, code: string) => valueOf(code, facts, targets[0]))];
}

function valueOf(code: string, facts: ExecFacts, target: string | undefined): string {
  switch (code) {
    case '%':
      return '%';
    case 'f':
    case 'F':
      return target === undefined ? '' : pathOf(target);
    case 'u':
    case 'U':
      return target ?? '';
    case 'c':
      return facts.name;
    case 'k':
      return facts.source ?? '';
    case 'i':
    case 'd':
    case 'D':
    case 'n':
    case 'N':
    case 'v':
    case 'm':
      return '';
    default:
      throw invalid(`%${code} is not one of the field codes`);
  }
}

/** Whether the text is a URL and not a path: a scheme of two letters at least (RFC 3986 §3.1). */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text);
}

function pathOf(target: string): string {
  if (!isUrl(target)) return target;
  try {
    const url = new URL(target);
    if (url.protocol === 'file:' && (url.host === '' || url.host === 'localhost')) {
      const path = fileURLToPath(`file://${url.pathname}`);
      if (!path.includes('\0')) return path;
    }
  } catch {
    // No URL that can be read, or a path that cannot be: then it is no file of this computer.
  }
  throw invalid('it opens files of this computer only, and was given a URL');
}

/** Writes arguments as the raw value of an Exec key that is read back as them. Throws `entry-invalid` for a NUL. */
export function quoteExec(argv: readonly string[]): string {
  return argv
    .map(quoteArgument)
    .join(' ')
    .replaceAll(/[\\\n\t\r]/g, (letter) => stringEscapes[letter] ?? letter);
}

const stringEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
};

function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw invalid('an argument has a NUL in it');
  const text = argument.replaceAll('%', '%%');
  if (text !== '' && !/[\s"'\\><~|&;$*?#()`]/.test(text)) return text;
  return `"${text.replaceAll(/["`$\\]/g, '\\$&')}"`;
}

function invalid(detail: string): CulvertError {
  return new CulvertError('entry-invalid', { detail });
}
