/**
 * The rules of Clash, one text each: `DOMAIN-SUFFIX,example.com,Work` or `IP-CIDR,10.0.0.0/8,DIRECT,no-resolve`.
 */
import type { RuleMatch } from '#shared/profile.ts';
import { readHostPattern, readPattern, readPorts, readRange, type Read } from './addresses.ts';
import { commOf } from './proxifier-lists.ts';
import { printable, type Draft } from './result.ts';
import type { SourceRule, Target } from './source-rules.ts';
import { textOfItem, type YamlItem } from './yaml.ts';

/** What a name in a rule means, or why it means nothing. */
export type Targets = Map<string, Target | string>;

const forEverything = new Set(['MATCH', 'FINAL']);

const reasons: Readonly<Record<string, string>> = {
  GEOIP: 'there is no list of the addresses of countries',
  GEOSITE: 'there is no list of the names of sites',
  'SRC-GEOIP': 'there is no list of the addresses of countries',
  'IP-ASN': 'there is no list of the addresses of networks',
  'RULE-SET': 'lists that Clash downloads are not taken',
  SCRIPT: 'scripts are not taken',
  'SUB-RULE': 'rules inside of rules are not taken',
  AND: 'rules inside of rules are not taken',
  OR: 'rules inside of rules are not taken',
  NOT: 'rules inside of rules are not taken',
  'DOMAIN-REGEX': 'regular expressions of Clash are of another kind',
};

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
      draft.say(item.line, 'invalid', 'a rule', 'it is not a text');
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
  | { ok: false; reason: string; isDirect: boolean };

function readRule(text: string, targets: Targets): RuleRead {
  const [type = '', ...rest] = text.split(',').map((part) => part.trim());
  const isFinal = forEverything.has(type);
  const [payload = '', name = ''] = isFinal ? ['', rest[0]] : rest;
  const target = targets.get(name) ?? `“${printable(name, 40)}” is no proxy or group of this file`;
  const isDirect =
    name === 'DIRECT' || rest.at(-1) === 'DIRECT' || (typeof target === 'object' && target.kind === 'direct');
  const match: Read<RuleMatch> = isFinal ? { ok: true, value: {} } : readMatch(type, payload);
  if (!match.ok) return { ok: false, reason: match.reason, isDirect };
  if (typeof target === 'string') return { ok: false, reason: target, isDirect: false };
  return { ok: true, value: { match: match.value, target } };
}

function readMatch(type: string, payload: string): Read<RuleMatch> {
  if (Object.hasOwn(reasons, type)) return { ok: false, reason: reasons[type] ?? '' };
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
      return { ok: false, reason: 'rules of this type have no counterpart' };
  }
}

/** The name and all below it. */
function below(payload: string): Read<string> {
  const name = readHostPattern(payload.replace(/^\./, ''));
  return name.ok ? readPattern(`.${name.value}`) : name;
}

function around(payload: string): Read<string> {
  const isPart = /^[A-Za-z0-9._-]{1,250}$/.test(payload);
  return isPart
    ? readPattern(`*${payload.toLowerCase()}*`)
    : { ok: false, reason: 'not a part of a host name' };
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
  return isName ? { ok: true, value: commOf(name) } : { ok: false, reason: 'not the name of a program' };
}

function readNetwork(payload: string): Read<RuleMatch> {
  if (payload !== 'tcp' && payload !== 'udp') return { ok: false, reason: 'the network is tcp or udp' };
  return { ok: true, value: { protocol: payload } };
}

function one(read: Read<string>, match: (value: string) => RuleMatch): Read<RuleMatch> {
  return read.ok ? { ok: true, value: match(read.value) } : read;
}
