/** Profiles in words, for `culvert profile ls` and `show`. Plain functions; none of them sees a password. */
import { headOf, type Profile, type Server } from '#shared/profile.ts';
import { formatUpstream, upstreamOf, type ProfileUses, type SecretsKind } from '#engine';

/** Where what no rule names goes: `socks5://host:port`, several with arrows, `direct`, `blocked`. */
export function viaOf({ action, chain }: Profile): string {
  if (action === 'direct') return 'direct';
  if (action === 'block') return 'blocked';
  const servers = chain.servers.filter(({ isOff }) => isOff !== true);
  if (servers.length === 0) return 'blocked: no proxy';
  const goesThroughAll = chain.mode === 'strict' || chain.mode === 'dynamic';
  return servers.map(addressOf).join(goesThroughAll ? ' → ' : ' | ');
}

function addressOf(server: Server): string {
  return formatUpstream(upstreamOf(server, undefined));
}

export function dnsWords({ dns }: Profile): string {
  return dns.resolver === undefined ? dns.mode : `${dns.mode} (${dns.resolver})`;
}

/** What else is known of a profile. */
export interface ProfileFacts {
  readonly uses: ProfileUses;
  readonly isBuiltIn: boolean;
  /** Where the password of a server is kept. */
  readonly passwordPlace: (server: string) => SecretsKind | undefined;
}

const modes: Readonly<Record<Profile['chain']['mode'], string>> = {
  strict: 'through all of them, in this order',
  dynamic: 'through all that are alive, in this order',
  random: 'through some of them at random',
  'round-robin': 'through some of them in turn',
};
const actions: Readonly<Record<Profile['action'], string>> = {
  proxy: 'goes through the proxy',
  direct: 'goes out directly, without a proxy',
  block: 'is refused',
};
const dnsModes: Readonly<Record<Profile['dns']['mode'], string>> = {
  fake: 'are resolved by the proxy (fake)',
  remote: 'are asked for through the proxy (remote)',
  host: 'are looked up by this computer (host)',
};
const lans: Readonly<Record<Profile['hostAccess']['lan'], string>> = {
  profile: 'like everything else',
  direct: 'reached directly, without the proxy',
  block: 'refused',
};

/** A title, and a label with its text for each setting. */
export function wordsOf(profile: Profile, facts: ProfileFacts): { title: string; lines: [string, string][] } {
  const { letter } = headOf(profile);
  const marks = [
    ...(facts.uses.isDefault ? ['the default'] : []),
    ...(facts.isBuiltIn ? ['built in'] : []),
    `${profile.colour} ${letter}`,
  ];
  const { hostAccess, egress, rewrites = [] } = profile;
  const lines: [string, string][] = [
    ['What no rule names', actions[profile.action]],
    ...serverLines(profile, facts),
    ['Names', resolverWords(profile)],
    ['UDP', profile.udp === 'allow' ? 'allowed, where the proxy offers it' : 'blocked'],
    ['IPv6', profile.ipv6 === 'allow' ? 'allowed, where the proxy carries it' : 'blocked'],
    ['If the proxy fails', failureWords(profile)],
    ['Local network', lans[hostAccess.lan]],
    ...optional('Ports of this computer', hostAccess.loopbackPorts.join(', ')),
    ...optional('Way out', egress ?? ''),
    ...optional('Rewrites', rewrites.map(({ from, to }) => `${from} → ${to}`).join(', ')),
    ['Isolation', profile.isolation],
    ...optional('Apps', facts.uses.apps.join(', ')),
    ...optional('Rules', facts.uses.rules.join(', ')),
    ...optional('Failover of', facts.uses.failovers.join(', ')),
  ];
  return { title: `${profile.name} (${profile.id}): ${marks.join(', ')}`, lines };
}

function serverLines({ chain }: Profile, { passwordPlace }: ProfileFacts): [string, string][] {
  const { servers, mode, length } = chain;
  const lines = servers.map((server): [string, string] => [
    `Server ${server.id}`,
    serverWords(server, passwordPlace(server.id)),
  ]);
  if (servers.length < 2) return lines;
  const number = length === undefined ? '' : ` (${length})`;
  return [...lines, ['Chain', `${mode}: ${modes[mode]}${number}`]];
}

const places: Readonly<Record<SecretsKind, string>> = {
  keyring: 'password in the keyring',
  file: 'password in a file that only you can read',
  memory: 'password in this process',
};

function serverWords(server: Server, place: SecretsKind | undefined): string {
  const { user, fingerprint, timeoutMs, isOff } = server;
  return [
    addressOf(server),
    ...(user === undefined ? [] : [`user ${user}`]),
    ...(place === undefined ? [] : [places[place]]),
    ...(fingerprint === undefined ? [] : [`certificate ${fingerprint.slice(0, 16)}…`]),
    ...(timeoutMs === undefined ? [] : [`${timeoutMs} ms at most`]),
    ...(isOff === true ? ['off'] : []),
  ].join(', ');
}

function resolverWords({ dns }: Profile): string {
  const words = dnsModes[dns.mode];
  return dns.resolver === undefined ? words : `${words}, of ${dns.resolver}`;
}

function failureWords({ failure }: Profile): string {
  switch (failure.policy) {
    case 'block':
      return 'connections are refused';
    case 'ask':
      return 'you are asked; until then connections are refused';
    case 'failover':
      return `the chain of “${failure.profile ?? ''}” is taken`;
  }
}

function optional(label: string, text: string): [string, string][] {
  return text === '' ? [] : [[label, text]];
}
