/**
 * One entry of a rule's `to`, as electron/shared/profile.ts documents it.
 *
 * Does: bring patterns into the form in which names are compared (ASCII, small letters, no last dot), and refuse
 * those that cannot mean what they seem to. Must not: let an address match a pattern for names: an expression
 * such as `/^[^.]+$/`, written for names without a dot, would take every IPv6 address. Only `*` alone takes both.
 */
import { domainToASCII } from 'node:url';
import { nameDefect } from '../upstream/destination.ts';
import { contains, parseAddress, parseRange, type Address, type AddressRange } from './address.ts';
import { compileExpression, type Expression } from './expression.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { fits, parseWildcard, type Wildcard } from '#shared/wildcard.ts';

export type Pattern = { readonly text: string } & (
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly name: string }
  /** The name and all below it. */
  | { readonly kind: 'suffix'; readonly name: string }
  /** All below the name. */
  | { readonly kind: 'below'; readonly name: string }
  | { readonly kind: 'wildcard'; readonly wildcard: Wildcard }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'range'; readonly range: AddressRange }
);

const maxPatternLength = 512;

/** Reads an entry of `to`. A phrase is the reason why it cannot be one. */
export function parsePattern(text: string): Pattern | Phrase {
  if (text === '') return phrase('rule.empty');
  if (text.length > maxPatternLength) return phrase('rule.long', { most: maxPatternLength });
  if (text.startsWith('/')) return expressionOf(text);
  if (/^[0-9]+\.[0-9.]*\*[0-9.*]*$/.test(text)) return addressWildcardOf(text);
  const range = parseRange(text);
  if (range !== undefined) return { text, kind: 'range', range };
  if (text.includes('/')) return phrase('rule.range');
  if (text.includes(':')) return phrase('rule.ipv6');
  return patternOfNames(text);
}

/** Whether it takes this destination; either part may be unknown. */
export function takes(pattern: Pattern, name: string | undefined, address: Address | undefined): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'range':
      return address !== undefined && contains(pattern.range, address);
    case 'exact':
      return name === pattern.name;
    case 'suffix':
      return name !== undefined && (name === pattern.name || isBelow(name, pattern.name));
    case 'below':
      return name !== undefined && isBelow(name, pattern.name);
    case 'wildcard':
      return name !== undefined && fits(pattern.wildcard, name);
    case 'expression':
      return name !== undefined && pattern.expression.takes(name);
  }
}

export function isBelow(name: string, other: string): boolean {
  return name.length > other.length && name.endsWith(other) && name[name.length - other.length - 1] === '.';
}

/**
 * A name in the form in which names are compared. What has no ASCII form (UTS #46 by way of `domainToASCII`) stays
 * as it is: it is the name of no host.
 */
export function comparableName(name: string): string {
  const bare = name.toLowerCase().replace(/\.+$/, '');
  return asciiOf(bare) ?? bare;
}

/** The ASCII form of a name in small letters; undefined where it has none, or becomes an address by it. */
function asciiOf(name: string): string | undefined {
  if (!/[^\0-\x7f]/.test(name)) return name;
  // The function parses a URL: it would take a port, a path or %2e for what they are there.
  if (/[^a-z0-9._\x80-\uffff-]/.test(name)) return undefined;
  const ascii = domainToASCII(name);
  return ascii === '' || parseAddress(ascii) !== undefined ? undefined : ascii;
}

function expressionOf(text: string): Pattern | Phrase {
  if (text.length < 3 || !text.endsWith('/')) return phrase('rule.slashes');
  const expression = compileExpression(text.slice(1, -1));
  return 'key' in expression ? expression : { text, kind: 'expression', expression };
}

/** `192.168.*`, as people write it for 192.168.0.0/16. */
function addressWildcardOf(text: string): Pattern | Phrase {
  const digits = /^((?:[0-9]{1,3}\.){1,3})\*(?:\.\*)*$/.exec(text)?.[1];
  const bytes = digits?.split('.').length ?? 0;
  const range =
    digits === undefined ? undefined : parseRange(`${digits}0${'.0'.repeat(4 - bytes)}/${(bytes - 1) * 8}`);
  if (range === undefined || text.split('.').length > 4) return phrase('rule.mask');
  return { text, kind: 'range', range };
}

function patternOfNames(text: string): Pattern | Phrase {
  if (/^\*+$/.test(text)) return { text, kind: 'any' };
  const bare = text.toLowerCase().replace(/(?<!\*)\.$/, '');
  const start = bare.startsWith('.') ? 1 : bare.startsWith('*.') ? 2 : 0;
  if (bare.slice(start).includes('*')) {
    if (start === 1) return phrase('rule.dot-star');
    return wildcardOf(text, bare);
  }
  const name = asciiOf(bare.slice(start)) ?? '';
  if (bare === '') return phrase('rule.name-empty');
  if (name === '') return phrase('rule.ascii');
  const defect = nameDefect(name);
  if (defect !== undefined) return phrase('rule.name', { defect });
  if (name.split('.').includes('')) return phrase('rule.dots');
  // What a URL parser takes for an address is the name of no host (RFC 3696 §2).
  if (/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name)) return phrase('rule.numbers');
  return { text, kind: start === 0 ? 'exact' : start === 1 ? 'suffix' : 'below', name };
}

function wildcardOf(text: string, bare: string): Pattern | Phrase {
  const labels = bare.split('.').map((label) => (label.includes('*') ? label : asciiOf(label)));
  if (labels.includes(undefined)) return phrase('rule.ascii');
  const name = labels.join('.');
  if (name.includes('..') || name.endsWith('.')) return phrase('rule.dots');
  if (/[^\0-\x7f]/.test(name)) return phrase('rule.star-letters');
  if (/[^a-z0-9._*-]/.test(name)) return phrase('rule.characters');
  return { text, kind: 'wildcard', wildcard: parseWildcard(name) };
}
