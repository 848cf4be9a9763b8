/**
 * A profile as its form has it: every field as it is typed, so that what is not right yet can stand there. Pure.
 *
 * Must not: lose anything of a profile that the form does not show.
 */
import type { ProfileHead } from '#shared/model.ts';
import type { Profile, Server } from '#shared/profile.ts';

export interface ServerForm {
  readonly id: string;
  kind: Server['kind'];
  host: string;
  port: string;
  user: string;
  /** Empty for the one that is kept, null to forget it. */
  password: string | null;
  fingerprint: string;
  /** In seconds. */
  timeout: string;
  isOff: boolean;
}

export interface ProfileForm {
  readonly id: string;
  name: string;
  colour: string;
  letter: string;
  action: Profile['action'];
  mode: Profile['chain']['mode'];
  length: string;
  servers: ServerForm[];
  dns: Profile['dns']['mode'];
  resolver: string;
  udp: Profile['udp'];
  ipv6: Profile['ipv6'];
  policy: Profile['failure']['policy'];
  failover: string;
  egress: string;
  ports: string;
  lan: Profile['hostAccess']['lan'];
  isolation: Profile['isolation'];
  readonly rewrites: NonNullable<Profile['rewrites']>;
}

/** The colours that are offered; any other can be typed. */
export const offeredColours = [
  '#5b6ee1',
  '#2f7fb8',
  '#1f8a70',
  '#5a8f29',
  '#c98a1b',
  '#c8553d',
  '#b4457e',
  '#7a5aa6',
] as const;

/** What a saved profile looks like in its form. */
export function formOf(profile: Profile): ProfileForm {
  const { chain, dns, failure, hostAccess } = profile;
  return {
    id: profile.id,
    name: profile.name,
    colour: profile.colour,
    letter: profile.letter ?? '',
    action: profile.action,
    mode: chain.mode,
    length: chain.length === undefined ? '' : String(chain.length),
    servers: chain.servers.map(serverFormOf),
    dns: dns.mode,
    resolver: dns.resolver ?? '',
    udp: profile.udp,
    ipv6: profile.ipv6,
    policy: failure.policy,
    failover: failure.profile ?? '',
    egress: profile.egress ?? '',
    ports: hostAccess.loopbackPorts.join(', '),
    lan: hostAccess.lan,
    isolation: profile.isolation,
    rewrites: profile.rewrites ?? [],
  };
}

function serverFormOf(server: Server): ServerForm {
  const { id, kind, host, port, user, fingerprint, timeoutMs, isOff } = server;
  return {
    ...{ id, kind, host, port: String(port), user: user ?? '', password: '' },
    fingerprint: fingerprint ?? '',
    timeout: timeoutMs === undefined ? '' : String(timeoutMs / 1000),
    isOff: isOff ?? false,
  };
}

/** A new profile with everything usual and one server to fill in. */
export function newForm(id: string, colour: string): ProfileForm {
  return {
    ...{ id, name: '', colour, letter: '', action: 'proxy', mode: 'strict', length: '' },
    servers: [newServer([])],
    ...{ dns: 'fake', resolver: '', udp: 'allow', ipv6: 'allow', policy: 'block', failover: '' },
    ...{ egress: '', ports: '', lan: 'profile', isolation: 'auto', rewrites: [] },
  };
}

/** A server to fill in, with an id that none of the others has. */
export function newServer(others: readonly ServerForm[]): ServerForm {
  const taken = new Set(others.map(({ id }) => id));
  let number = others.length + 1;
  while (taken.has(`server-${number}`)) number += 1;
  return {
    ...{ id: `server-${number}`, kind: 'socks5', host: '', port: '1080', user: '', password: '' },
    ...{ fingerprint: '', timeout: '', isOff: false },
  };
}

/** Whether the mode takes only some of the servers, `length` of them. */
export function takesSome(mode: ProfileForm['mode']): boolean {
  return mode === 'random' || mode === 'round-robin';
}

/** The profile that the form stands for. Fields that do not belong to what was chosen are left out. */
export function profileOf(form: ProfileForm): Profile {
  const { letter, resolver, failover, egress, length } = form;
  const isRemote = form.dns === 'remote' && resolver.trim() !== '';
  return {
    ...{ id: form.id, name: form.name.trim(), colour: form.colour.trim(), action: form.action },
    ...(letter.trim() === '' ? {} : { letter: letter.trim() }),
    chain: {
      mode: form.mode,
      ...(takesSome(form.mode) && length.trim() !== '' ? { length: Number(length) } : {}),
      servers: form.servers.map(serverOf),
    },
    dns: { mode: form.dns, ...(isRemote ? { resolver: resolver.trim() } : {}) },
    ...{ udp: form.udp, ipv6: form.ipv6 },
    failure: { policy: form.policy, ...(form.policy === 'failover' ? { profile: failover } : {}) },
    ...(egress.trim() === '' ? {} : { egress: egress.trim() }),
    hostAccess: { loopbackPorts: portsIn(form.ports).map(Number), lan: form.lan },
    isolation: form.isolation,
    ...(form.rewrites.length === 0 ? {} : { rewrites: [...form.rewrites] }),
  };
}

function serverOf(server: ServerForm): Server {
  const { id, kind, user, timeout } = server;
  const fingerprint = plainFingerprint(server.fingerprint);
  return {
    ...{ id, kind, host: plainHost(server.host), port: Number(server.port) },
    ...(user === '' ? {} : { user }),
    ...(kind === 'https' && fingerprint !== '' ? { fingerprint } : {}),
    ...(timeout.trim() === '' ? {} : { timeoutMs: Math.round(Number(timeout) * 1000) }),
    ...(server.isOff ? { isOff: true } : {}),
  };
}

/** Without blanks and the brackets of an IPv6 address. */
export function plainHost(text: string): string {
  const host = text.trim();
  return /^\[[^[\]]*\]$/.test(host) ? host.slice(1, -1) : host;
}

/** As tools print it, with colons and in capitals, and as it is written down. */
export function plainFingerprint(text: string): string {
  return text.replaceAll(/[\s:]/g, '').toLowerCase();
}

/** The ports of a list, as they were typed. */
export function portsIn(text: string): string[] {
  return text.split(/[\s,，]+/).filter((port) => port !== '');
}

/** Which passwords are to be kept or forgotten. */
export function passwordsOf(form: ProfileForm): { server: string; password: string | null }[] {
  return form.servers.flatMap(({ id: server, password }) => (password === '' ? [] : [{ server, password }]));
}

/** A list with one of its items at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined) return [...list];
  const others = list.filter((_, at) => at !== from);
  return [...others.slice(0, to), item, ...others.slice(to)];
}

/** `host:port`, with brackets round an IPv6 address. */
export function authorityOf({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number | string;
}): string {
  const plain = plainHost(host);
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** The servers that are on, as `socks5://host:port`. */
export function addressesOf({ chain }: Pick<Profile, 'chain'>): string[] {
  return chain.servers
    .filter(({ isOff }) => isOff !== true)
    .map((server) => `${server.kind}://${authorityOf(server)}`);
}

/** What is shown of a form beside its name. */
export function headOfForm({ id, name, colour, letter }: ProfileForm): ProfileHead {
  return { id, name, colour, letter: letter.trim() || name.trim().slice(0, 1).toUpperCase() || '?' };
}
