/**
 * The rules of Clash, one text each: `DOMAIN-SUFFIX,example.com,Work` or `IP-CIDR,10.0.0.0/8,DIRECT,no-resolve`.
 */
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { RuleMatch } from '#shared/profile.ts';
import { readHostPattern, readPattern, readPorts, readRange, type Read } from './addresses.ts';
import { commOf } from './proxifier-lists.ts';
import { printable } from './line.ts';
import type { Draft } from './result.ts';
import type { SourceRule, Target } from './source-rules.ts';
import { textOfItem, type YamlItem } from './yaml.ts';

/** What a name in a rule means, or why it means nothing. */
export type Targets = Map<string, Target | Phrase>;

const forEverything = new Set(['MATCH', 'FINAL']);

const reasons: ReadonlyMap<string, Phrase> = new Map([
  ['GEOIP', phrase('clash.no-country-list')],
  ['GEOSITE', phrase('clash.no-site-list')],
  ['SRC-GEOIP', phrase('clash.no-country-list')],
  ['IP-ASN', phrase('clash.no-network-list')],
  ['RULE-SET', phrase('clash.no-downloads')],
  ['SCRIPT', phrase('clash.no-scripts')],
  ['SUB-RULE', phrase('clash.no-nested-rules')],
  ['AND', phrase('clash.no-nested-rules')],
  ['OR', phrase('clash.no-nested-rules')],
  ['NOT', phrase('clash.no-nested-rules')],
  ['DOMAIN-REGEX', phrase('clash.other-expressions')],
]);

/** Reads the list, says what cannot be taken, and answers the rest for `placeRules`. */
export function readClashRules(
  draft: Draft,
  items: readonly YamlItem[],
  targets: Targets,
): { rules: SourceRule[]; lostLine: number | undefined } {
  const rules: SourceRule[] = [];
  let lostLine: number | undefined;
  for (const item of items) {
    const text = printable(textOfItem(item) ?? '', 120);
    if (text === '') {
      draft.say(item.line, 'invalid', phrase('clash.a-rule'), phrase('clash.not-text'));
      lostLine ??= item.line;
      continue;
    }
    const read = readRule(textOfItem(item) ?? '', targets);
    if (read.ok) rules.push({ line: item.line, text, ...read.value });
    else {
      draft.say(item.line, 'skipped', text, read.reason);
      if (!read.isDirect) lostLine ??= item.line;
    }
  }
  return { rules, lostLine };
}

type RuleRead =
  | { ok: true; value: { match: RuleMatch; target: Target } }
  | { ok: false; reason: Phrase; isDirect: boolean };

function readRule(text: string, targets: Targets): RuleRead {
  const [type = '', ...rest] = text.split(',').map((part) => part.trim());
  const isFinal = forEverything.has(type);
  const [payload = '', name = ''] = isFinal ? ['', rest[0]] : rest;
  const target = targets.get(name) ?? phrase('clash.unknown-target', { name: printable(name, 40) });
  const isDirect =
    name === 'DIRECT' || rest.at(-1) === 'DIRECT' || ('kind' in target && target.kind === 'direct');
  const match: Read<RuleMatch> = isFinal ? { ok: true, value: {} } : readMatch(type, payload);
  if (!match.ok) return { ok: false, reason: match.reason, isDirect };
  if ('key' in target) return { ok: false, reason: target, isDirect: false };
  return { ok: true, value: { match: match.value, target } };
}

function readMatch(type: string, payload: string): Read<RuleMatch> {
  const reason = reasons.get(type);
  if (reason !== undefined) return no(reason);
  switch (type) {
    case 'DOMAIN':
      return one(readHostPattern(payload), (to) => ({ to: [to] }));
    case 'DOMAIN-SUFFIX':
      return one(below(payload), (to) => ({ to: [to] }));
    case 'DOMAIN-KEYWORD':
      return one(around(payload), (to) => ({ to: [to] }));
    case 'DOMAIN-WILDCARD':
      return one(readHostPattern(payload), (to) => ({ to: [to] }));
    case 'IP-CIDR':
    case 'IP-CIDR6':
      return one(readRange(payload), (to) => ({ to: [to] }));
    case 'DST-PORT':
      return readPortList(payload);
    case 'PROCESS-NAME':
      return one(readProcess(payload), (name) => ({ processes: [name] }));
    case 'NETWORK':
      return readNetwork(payload.toLowerCase());
    default:
      return no(phrase('clash.other-rule-type'));
  }
}

/** The name and all below it. */
function below(payload: string): Read<string> {
  const name = readHostPattern(payload.replace(/^\./, ''));
  return name.ok ? readPattern(`.${name.value}`) : name;
}

function around(payload: string): Read<string> {
  const isPart = /^[A-Za-z0-9._-]{1,250}$/.test(payload);
  return isPart ? readPattern(`*${payload.toLowerCase()}*`) : no(phrase('clash.not-part-of-name'));
}

function readPortList(payload: string): Read<RuleMatch> {
  const ports: string[] = [];
  for (const part of payload.split('/')) {
    const read = readPorts(part);
    if (!read.ok) return read;
    ports.push(read.value);
  }
  return { ok: true, value: { ports } };
}

function readProcess(payload: string): Read<string> {
  const name = payload.replace(/\.exe$/i, '');
  const isName = name !== '' && name.length <= 64 && !/[/\\*?]/.test(name);
  return isName ? { ok: true, value: commOf(name) } : no(phrase('clash.not-program'));
}

function readNetwork(payload: string): Read<RuleMatch> {
  if (payload !== 'tcp' && payload !== 'udp') return no(phrase('clash.not-network'));
  return { ok: true, value: { protocol: payload } };
}

function one(read: Read<string>, match: (value: string) => RuleMatch): Read<RuleMatch> {
  return read.ok ? { ok: true, value: match(read.value) } : read;
}

function no(reason: Phrase): { ok: false; reason: Phrase } {
  return { ok: false, reason };
}
