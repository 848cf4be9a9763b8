/**
 * Takes out of a text what tells who somebody is and where they go, and counts what it took out. The same value has
 * the same stand-in throughout one report, so that it can still be read. Pure.
 */
import { isIPv6 } from 'node:net';

/** What a value is; also how its stand-in begins. */
export type Kind = 'host' | 'address' | 'user' | 'profile' | 'destination' | 'interface' | 'text';

export interface KnownName {
  readonly kind: Kind;
  readonly value: string;
  /** Also looked for in sentences that are Culvert's own; else only where somebody else's words may be. */
  readonly isEverywhere: boolean;
}

/** Shorter names are parts of other words too often. */
const leastLength = 3;
/** Names with dots that are no hosts: files, and settings of the kernel. */
const harmless = /\.(?:json|cjs|so|log|conf|good|old|desktop)$|^(?:kernel|user|net)\.|^[0-9.]+$/;

const url = String.raw`\b[a-z][a-z0-9+.-]*:\/\/[^\s)”"',;]+`;
const ipv4 = String.raw`(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-])`;
const colons = String.raw`(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:[0-9.]*)(?![\w])`;
const dotted = String.raw`[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+`;

export class Redactor {
  readonly #keepsNames: boolean;
  readonly #standIns = new Map<string, string>();
  readonly #counts = new Map<Kind, number>();
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #own: RegExp;
  readonly #foreign: RegExp;
  #taken = 0;

  constructor(keepsNames: boolean, known: readonly KnownName[]) {
    this.#keepsNames = keepsNames;
    const usable = known.filter(({ value }) => value.length >= leastLength);
    this.#kinds = new Map(usable.map(({ value, kind }) => [value.toLowerCase(), kind]));
    const everywhere = usable.filter(({ isEverywhere }) => isEverywhere);
    this.#own = patternOf([url, ...namesIn(everywhere), ipv4, colons]);
    this.#foreign = patternOf([url, ...namesIn(usable), ipv4, colons, dotted]);
  }

  /** How much was taken out until now. */
  get taken(): number {
    return this.#taken;
  }

  /** A stand-in for a value that is known to be of this kind. */
  value(kind: Kind, value: string): string {
    if (this.#keepsNames || value === '') return value;
    this.#taken += 1;
    const key = `${kind} ${value.toLowerCase()}`;
    const known = this.#standIns.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const standIn = `${kind}-${count}`;
    this.#standIns.set(key, standIn);
    return standIn;
  }

  /** A sentence of Culvert's own, in which names and addresses may stand. */
  sentence(text: string): string {
    return this.#replaced(text, this.#own);
  }

  /** Words of a system, a proxy or a user: whatever looks like a name of a host goes, too. */
  words(text: string): string {
    return this.#replaced(text, this.#foreign);
  }

  #replaced(text: string, pattern: RegExp): string {
    if (this.#keepsNames) return text.replace(/(:\/\/)[^\s/@]*@/g, '$1…@');
    return text.replace(pattern, (found) => {
      const kind = this.#kinds.get(found.toLowerCase());
      if (kind !== undefined) return this.value(kind, found);
      if (found.includes('://')) return this.#url(found);
      if (found.includes(':')) return isIPv6(found) ? this.value('address', found) : found;
      if (/^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/.test(found)) return this.value('address', found);
      return harmless.test(found) ? found : this.value('host', found);
    });
  }

  /** Scheme and port are kept: they tell which way it was, not where to. */
  #url(found: string): string {
    const [, scheme = '', host = '', port = ''] =
      /^([^:]+):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)(:[0-9]+)?/.exec(found) ?? [];
    const bare = host.replace(/^\[|\]$/g, '');
    const isAddress = isIPv6(bare) || /^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/.test(bare);
    return `${scheme}://${this.value(isAddress ? 'address' : 'host', bare)}${port}`;
  }
}

function patternOf(parts: readonly string[]): RegExp {
  return new RegExp(parts.join('|'), 'giu');
}

/** Longer ones first: what is found first at a place is taken. */
function namesIn(names: readonly KnownName[]): string[] {
  return names
    .map(({ value }) => value)
    .sort((one, other) => other.length - one.length)
    .map((value) => value.replace(/[\^$.*+?()[\]{}|/\\]/g, '\\$&'))
    .map((escaped) => `(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`);
}
