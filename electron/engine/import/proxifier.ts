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
import type { RuleMatch } from '#shared/profile.ts';
import { takeApplications, takePorts, takeTargets } from './proxifier-lists.ts';
import { Draft, limits, matchOf, nameOf, printable, refuse, type ImportResult } from './result.ts';
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
  if (root.name !== 'ProxifierProfile') refuse('this XML is not a profile of Proxifier');
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

function sayOther(draft: Draft, element: XmlElement): void {
  if (element.name !== 'Options')
    return draft.say(element.line, 'skipped', 'an unknown element', 'it is not taken');
  draft.say(
    element.line,
    'note',
    'Options',
    'settings of Proxifier itself; names always go to the proxy here',
  );
}

function readProxy({ draft, isEncrypted, proxies }: Reading, element: XmlElement): void {
  const id = element.attributes.get('id') ?? '';
  const type = (element.attributes.get('type') ?? childText(element, 'type')).toUpperCase();
  const kind = kinds.get(type);
  const shown = `proxy ${printable(id, 20)}`;
  if (element.name !== 'Proxy')
    return draft.say(element.line, 'skipped', 'an unknown element', 'it is not a proxy');
  if (kind === undefined)
    return draft.say(element.line, 'invalid', shown, 'the type is not SOCKS4, SOCKS5, HTTP or HTTPS');
  if (proxies.has(id)) return draft.say(element.line, 'invalid', shown, 'another proxy has the same id');
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
  if (isEncrypted && written !== '') {
    const reason = 'Proxifier has encrypted its password, which only Proxifier can read; enter it again';
    draft.say(element.line, 'note', profile.name, reason);
  }
}

function readChain(reading: Reading, element: XmlElement): void {
  const { draft, proxies, chains } = reading;
  const id = element.attributes.get('id') ?? '';
  const type = element.attributes.get('type') ?? 'simple';
  const written = childText(element, 'name');
  const shown = `chain ${written === '' ? printable(id, 20) : written}`;
  if (element.name !== 'Chain')
    return draft.say(element.line, 'skipped', 'an unknown element', 'it is not a chain');
  if (chains.has(id) || proxies.has(id))
    return draft.say(element.line, 'invalid', shown, 'another entry has the same id');
  const members = element.children.filter((child) => child.name === 'Proxy');
  const used = members.filter((child) => child.attributes.get('enabled') !== 'false');
  const found = used.flatMap((child) => proxies.get(child.text) ?? []);
  if (found.length === 0) return draft.say(element.line, 'invalid', shown, 'it has no proxy that was taken');
  if (type === 'simple' && found.length < used.length) {
    return draft.say(
      element.line,
      'invalid',
      shown,
      'one of its proxies could not be taken, and a shorter chain is another chain',
    );
  }
  if (found.length > limits.serversInChain) {
    return draft.say(
      element.line,
      'invalid',
      shown,
      `more than ${limits.serversInChain} servers in one chain`,
    );
  }
  addChain(reading, element, { id, type, name: nameOf(written, `Chain ${id}`), shown, found });
}

interface ChainParts {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly shown: string;
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
    draft.say(line, 'taken', shown, 'load balancing becomes round-robin, one proxy a connection');
  } else if (type === 'redundancy') {
    const next = found[1]?.profile;
    const failure = next === undefined ? undefined : { policy: 'failover' as const, profile: next };
    chains.set(id, draft.addProfile({ name, servers: servers.slice(0, 1), ...(failure && { failure }) }).id);
    draft.say(line, 'taken', shown, 'redundancy becomes failover to the second proxy, and never to no proxy');
    if (found.length > 2)
      draft.say(
        line,
        'note',
        shown,
        `failover has one step: of its ${found.length} proxies the first two are used`,
      );
  } else draft.say(line, 'skipped', shown, 'this type of chain is not known');
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
  const shown = `rule ${written === '' ? 'without a name' : written}`;
  const isOff = element.attributes.get('enabled') === 'false';
  const target = targetOf(reading, childOf(element, 'action'));
  if (typeof target === 'string') {
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
    draft.say(line, 'skipped', shown, 'a list of it has nothing left that a rule could name');
    return { isLost };
  }
  const match: RuleMatch = matchOf({ ...parts.apps.value, ...parts.targets.value, ...parts.ports.value });
  return { rule: { line, text: shown, note: printable(written, 200), isOff, match, target }, isLost };
}

function targetOf({ proxies, chains }: Reading, action: XmlElement | undefined): Target | string {
  const type = action?.attributes.get('type')?.toLowerCase();
  if (type === 'direct') return { kind: 'direct' };
  if (type === 'block') return { kind: 'block' };
  if (type !== 'proxy' && type !== 'chain') return 'its action is not Direct, Block, Proxy or Chain';
  const id = action?.text ?? '';
  const profile = type === 'proxy' ? proxies.get(id)?.profile : chains.get(id);
  return profile === undefined ? `its ${type} was not taken` : { kind: 'profile', id: profile };
}
