/**
 * Proxifier's profiles (.ppx): proxies, chains and rules. What they become:
 *
 *   Proxy            a profile each. HTTPS there means CONNECT, so `http` here; SOCKS4 sends names as SOCKS4a
 *   Chain simple     a strict chain of the enabled proxies, in order
 *   redundancy       the first enabled proxy, with failover to the profile of the second; never directly
 *   load_balancing   round-robin, one proxy a connection
 *   Rule             a rule under the profile that the last rule names; see source-rules.ts
 *
 * Passwords in the file may be readable or encrypted by Windows or a master password; those cannot be read.
 */
import { authorityOf } from '../upstream/destination.ts';
import { formatUpstream } from '../upstream/url.ts';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { RuleMatch } from '#shared/profile.ts';
import { takeApplications, takePorts, takeTargets } from './proxifier-lists.ts';
import { printable } from './line.ts';
import { Draft, limits, matchOf, nameOf, refuse, type ImportResult } from './result.ts';
import { placeRules, type SourceRule, type Target } from './source-rules.ts';
import { readServer } from './upstream.ts';
import { childOf, childText, parseXml, type XmlElement } from './xml.ts';

const kinds: ReadonlyMap<string, UpstreamKind> = new Map([
  ['SOCKS4', 'socks4a'],
  ['SOCKS4A', 'socks4a'],
  ['SOCKS5', 'socks5'],
  ['HTTPS', 'http'],
  ['HTTP', 'http'],
]);

interface Proxy {
  readonly upstream: Upstream;
  /** Of its own profile. */
  readonly profile: string;
}

interface Reading {
  readonly draft: Draft;
  readonly isEncrypted: boolean;
  readonly proxies: Map<string, Proxy>;
  /** Profiles of chains by their ids in the file. */
  readonly chains: Map<string, string>;
}

/** Reads a .ppx; `name` is for a profile that the rules may need. */
export function importProxifier(text: string, name = 'Proxifier'): ImportResult {
  const root = parseXml(text);
  if (root.name !== 'ProxifierProfile') refuse(phrase('import-refusal.no-proxifier'));
  const encryption = childOf(childOf(root, 'options'), 'encryption')?.attributes.get('mode') ?? 'disabled';
  const draft = new Draft('proxifier');
  const reading: Reading = {
    draft,
    isEncrypted: encryption !== 'disabled',
    proxies: new Map(),
    chains: new Map(),
  };
  for (const element of root.children) if (!sections.has(element.name)) sayOther(draft, element);
  for (const element of childOf(root, 'proxylist')?.children ?? []) readProxy(reading, element);
  for (const element of childOf(root, 'chainlist')?.children ?? []) readChain(reading, element);
  readRules(reading, childOf(root, 'rulelist')?.children ?? [], name);
  return draft.finish();
}

const sections = new Set(['ProxyList', 'ChainList', 'RuleList']);
const unknownElement = phrase('proxifier.unknown-element');

function sayOther(draft: Draft, element: XmlElement): void {
  if (element.name !== 'Options')
    return draft.say(element.line, 'skipped', unknownElement, phrase('clash.not-taken'));
  draft.say(element.line, 'note', 'Options', phrase('proxifier.options'));
}

function readProxy({ draft, isEncrypted, proxies }: Reading, element: XmlElement): void {
  const id = element.attributes.get('id') ?? '';
  const type = (element.attributes.get('type') ?? childText(element, 'type')).toUpperCase();
  const kind = kinds.get(type);
  const shown = phrase('clash.named-proxy', { name: printable(id, 20) });
  if (element.name !== 'Proxy')
    return draft.say(element.line, 'skipped', unknownElement, phrase('proxifier.not-proxy'));
  if (kind === undefined)
    return draft.say(element.line, 'invalid', shown, phrase('proxifier.other-proxy-type'));
  if (proxies.has(id)) return draft.say(element.line, 'invalid', shown, phrase('proxifier.same-proxy-id'));
  const signIn = childOf(element, 'authentication');
  const isSigned = signIn !== undefined && signIn.attributes.get('enabled') !== 'false';
  const user = isSigned ? childText(signIn, 'username') : '';
  const written = isSigned ? childText(signIn, 'password') : '';
  const password = isEncrypted ? '' : written;
  const read = readServer({
    kind,
    host: childText(element, 'address'),
    port: childText(element, 'port'),
    user,
    password,
  });
  if (!read.ok) return draft.say(element.line, 'invalid', shown, read.reason);
  const upstream = read.value;
  const label = childText(element, 'label');
  const profile = draft.addProfile({
    name: label === '' ? authorityOf(upstream) : label,
    servers: [upstream],
  });
  proxies.set(id, { upstream, profile: profile.id });
  draft.say(element.line, 'taken', `${profile.name}: ${formatUpstream(upstream)}`);
  if (isEncrypted && written !== '')
    draft.say(element.line, 'note', profile.name, phrase('proxifier.encrypted'));
}

function readChain(reading: Reading, element: XmlElement): void {
  const { draft, proxies, chains } = reading;
  const id = element.attributes.get('id') ?? '';
  const type = element.attributes.get('type') ?? 'simple';
  const written = childText(element, 'name');
  const shown = phrase('proxifier.named-chain', { name: written === '' ? printable(id, 20) : written });
  if (element.name !== 'Chain')
    return draft.say(element.line, 'skipped', unknownElement, phrase('proxifier.not-chain'));
  if (chains.has(id) || proxies.has(id))
    return draft.say(element.line, 'invalid', shown, phrase('proxifier.same-entry-id'));
  const members = element.children.filter((child) => child.name === 'Proxy');
  const used = members.filter((child) => child.attributes.get('enabled') !== 'false');
  const found = used.flatMap((child) => proxies.get(child.text) ?? []);
  if (found.length === 0) return draft.say(element.line, 'invalid', shown, phrase('proxifier.chain-empty'));
  if (type === 'simple' && found.length < used.length)
    return draft.say(element.line, 'invalid', shown, phrase('proxifier.chain-shorter'));
  if (found.length > limits.serversInChain) {
    const reason = phrase('proxifier.chain-long', { most: limits.serversInChain });
    return draft.say(element.line, 'invalid', shown, reason);
  }
  addChain(reading, element, { id, type, name: nameOf(written, `Chain ${id}`), shown, found });
}

interface ChainParts {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly shown: Phrase;
  readonly found: readonly Proxy[];
}

function addChain(
  { draft, chains }: Reading,
  { line }: XmlElement,
  { id, type, name, shown, found }: ChainParts,
): void {
  const servers = found.map(({ upstream }) => upstream);
  if (type === 'simple') {
    chains.set(id, draft.addProfile({ name, servers, mode: 'strict' }).id);
    draft.say(line, 'taken', shown);
  } else if (type === 'load_balancing') {
    chains.set(id, draft.addProfile({ name, servers, mode: 'round-robin', length: 1 }).id);
    draft.say(line, 'taken', shown, phrase('proxifier.balancing'));
  } else if (type === 'redundancy') {
    const next = found[1]?.profile;
    const failure = next === undefined ? undefined : { policy: 'failover' as const, profile: next };
    chains.set(id, draft.addProfile({ name, servers: servers.slice(0, 1), ...(failure && { failure }) }).id);
    draft.say(line, 'taken', shown, phrase('proxifier.redundancy'));
    if (found.length > 2)
      draft.say(line, 'note', shown, phrase('proxifier.failover-step', { of: found.length }));
  } else draft.say(line, 'skipped', shown, phrase('proxifier.other-chain-type'));
}

function readRules(reading: Reading, elements: readonly XmlElement[], name: string): void {
  const { draft } = reading;
  const rules: SourceRule[] = [];
  let lostLine: number | undefined;
  for (const element of elements) {
    const read = readRule(reading, element);
    if (read.rule !== undefined) rules.push(read.rule);
    if (read.isLost) lostLine ??= element.line;
  }
  placeRules(draft, { name, rules, lostLine });
}

/** `isLost`: some of it could not be taken and would not have gone direct. */
function readRule(reading: Reading, element: XmlElement): { rule?: SourceRule; isLost: boolean } {
  const { draft } = reading;
  const { line } = element;
  const written = childText(element, 'name');
  const shown =
    written === '' ? phrase('proxifier.unnamed-rule') : phrase('import.named-rule', { name: written });
  const isOff = element.attributes.get('enabled') === 'false';
  const target = targetOf(reading, childOf(element, 'action'));
  if ('key' in target) {
    draft.say(line, 'skipped', shown, target);
    return { isLost: !isOff };
  }
  const isDirect = target.kind === 'direct';
  const parts = {
    apps: takeApplications(draft, line, shown, childText(element, 'applications')),
    targets: takeTargets(draft, line, shown, childText(element, 'targets')),
    ports: takePorts(draft, line, shown, childText(element, 'ports')),
  };
  const isLost = !isOff && !isDirect && Object.values(parts).some(({ lost }) => lost > 0);
  if (Object.values(parts).some(({ isEmpty }) => isEmpty)) {
    draft.say(line, 'skipped', shown, phrase('proxifier.list-lost'));
    return { isLost };
  }
  const match: RuleMatch = matchOf({ ...parts.apps.value, ...parts.targets.value, ...parts.ports.value });
  return { rule: { line, text: shown, note: printable(written, 200), isOff, match, target }, isLost };
}

function targetOf({ proxies, chains }: Reading, action: XmlElement | undefined): Target | Phrase {
  const type = action?.attributes.get('type')?.toLowerCase();
  if (type === 'direct') return { kind: 'direct' };
  if (type === 'block') return { kind: 'block' };
  if (type !== 'proxy' && type !== 'chain') return phrase('proxifier.other-action');
  const id = action?.text ?? '';
  const profile = type === 'proxy' ? proxies.get(id)?.profile : chains.get(id);
  if (profile !== undefined) return { kind: 'profile', id: profile };
  return phrase(type === 'proxy' ? 'clash.proxy-not-taken' : 'proxifier.action-chain-lost');
}
