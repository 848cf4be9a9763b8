/**
 * The door of imports and exports: texts of other programs in, profiles and rules out, and the other way round.
 *
 * Does: recognise the format, hold the limits (4 MiB, 10,000 lines, 500 profiles, 20,000 rules), turn everything
 * that goes wrong as a whole into `import-invalid`. Must not: read or write a file, look up a name, keep anything.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { listRules } from './address-lists.ts';
import { importClash } from './clash.ts';
import { importCulvert } from './culvert-json.ts';
import { importEnvironment, isProxyAssignment } from './environment.ts';
import { importLinks } from './links.ts';
import { importProxifier } from './proxifier.ts';
import { importProxychains } from './proxychains.ts';
import { limits, nameOf, refuse, type ImportKind, type ImportResult } from './result.ts';
import { countLines, textOf } from './text.ts';

export { listRules, type ListKind, type ListRules } from './address-lists.ts';
export { exportJson, exportLinks, linkOf } from './export.ts';
export { mergeImport, type MergedImport } from './merge.ts';
export { importKinds, limits as importLimits } from './result.ts';
export type { ImportLine, LineStatus } from './line.ts';
export type { ImportedProfile, ImportedSecret, ImportKind, ImportResult, ProfileChanges } from './result.ts';

export interface ImportOptions {
  /** Of the file, for names and as a hint at its kind. */
  readonly name?: string;
  /** Given where the text is known to be of a kind; lists of addresses must be asked for. */
  readonly kind?: ImportKind;
  /** Id of the profile that a list of addresses is for. */
  readonly profile?: string;
}

/**
 * Reads a text of any of the kinds. Every line or item that is not a comment has an entry in `lines`. Throws
 * `import-invalid`, with the figure or the line, and nothing else.
 */
export function importText(input: string | Uint8Array, options: ImportOptions = {}): ImportResult {
  try {
    const text = textOf(input);
    const kind = options.kind ?? kindOf(text, options.name ?? '');
    const lines = countLines(text);
    if (kind !== 'culvert' && lines > limits.lines)
      refuse(phrase('import-refusal.lines-most', { lines, most: limits.lines }));
    return importAs(text, kind, options);
  } catch (error) {
    if (error instanceof CulvertError && error.failure.code === 'import-invalid') throw error;
    // A parser met something that it did not expect; its words may quote the text, so they go no further.
    return refuse(phrase('import-refusal.unreadable'));
  }
}

/** What kind of text this is, by what is in it and by the ending of its name; `links` where nothing else fits. */
export function kindOf(text: string, name = ''): ImportKind {
  const start = text.trimStart();
  if (start.startsWith('<')) return 'proxifier';
  if (start.startsWith('{')) {
    const isClash =
      /"proxies"\s{0,9}:|^\{\s{0,9}proxies\s{0,9}:/.test(start) && !start.includes('"profiles"');
    return isClash ? 'clash' : 'culvert';
  }
  const lines = text.split('\n');
  if (lines.some((line) => line.trim() === '[ProxyList]')) return 'proxychains';
  if (
    lines.some((line) => /^(?:proxies|Proxy|proxy-groups|Proxy Group|rules|Rule) {0,9}:(?:\s|$)/.test(line))
  )
    return 'clash';
  if (lines.some((line) => isProxyAssignment(line.trim()))) return 'environment';
  const ending = /\.(ppx|ya?ml)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending !== undefined) return ending === 'ppx' ? 'proxifier' : 'clash';
  return /(?:^|\/)proxychains[^/]*\.conf$/i.test(name) ? 'proxychains' : 'links';
}

function importAs(text: string, kind: ImportKind, options: ImportOptions): ImportResult {
  const name = titleOf(options.name);
  switch (kind) {
    case 'links':
      return importLinks(text);
    case 'environment':
      return importEnvironment(text);
    case 'culvert':
      return importCulvert(text);
    case 'proxychains':
      return importProxychains(text, name);
    case 'proxifier':
      return importProxifier(text, name);
    case 'clash':
      return importClash(text, name);
    case 'direct-list':
    case 'proxy-list': {
      const profile = options.profile ?? refuse(phrase('import-refusal.list-profile'));
      return { kind, profiles: [], secrets: [], ...listRules(text, kind, profile) };
    }
  }
}

/** A name for people out of the name of a file. */
function titleOf(name: string | undefined): string | undefined {
  const file = name?.slice(name.lastIndexOf('/') + 1).replace(/\.[a-z0-9]{1,5}$/i, '') ?? '';
  const title = nameOf(file, '');
  return title === '' ? undefined : title;
}
