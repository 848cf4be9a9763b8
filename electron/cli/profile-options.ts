/** The options of `culvert profile add` and `edit` as changes of a profile. Plain functions. */
import { CulvertError } from '#shared/failure.ts';
import type { Profile } from '#shared/profile.ts';
import { chainOf, dnsOf, isolationOf, wordOf } from './run-request.ts';

/** As commander hands them over; `false` is what `--no-…` gives. */
export interface ProfileOptions {
  readonly name?: string | undefined;
  readonly colour?: string | undefined;
  readonly letter?: string | undefined;
  readonly action?: string | undefined;
  readonly chain?: string | undefined;
  readonly chainLength?: string | undefined;
  readonly dns?: string | undefined;
  readonly resolver?: string | undefined;
  readonly udp?: string | undefined;
  readonly ipv6?: string | undefined;
  readonly egress?: string | false | undefined;
  readonly lan?: string | undefined;
  readonly hostPort?: readonly string[] | false | undefined;
  readonly failover?: string | false | undefined;
  readonly onFailure?: string | undefined;
  /** SHA-256 of a certificate, of the server that is named or the only https one. */
  readonly fingerprint?: string | false | undefined;
  /** Milliseconds for each server. */
  readonly timeout?: string | false | undefined;
  /** Which server an option is for that can be for one only. */
  readonly server?: string | undefined;
  readonly isolation?: string | undefined;
}

const allowOrBlock = ['allow', 'block'] as const;

/** The profile with what the options say. Throws `option-invalid`. */
export function withOptions(profile: Profile, options: ProfileOptions): Profile {
  const action = wordOf('--action', options.action ?? profile.action, ['proxy', 'direct', 'block']);
  return {
    ...withoutEgress(profile),
    ...nonEmpty({ name: options.name, colour: options.colour, letter: options.letter }),
    action,
    chain: withServers(chainWith(profile, options), options),
    dns: dnsWith(profile, action, options),
    udp: wordOf('--udp', options.udp ?? profile.udp, allowOrBlock),
    ipv6: wordOf('--ipv6', options.ipv6 ?? profile.ipv6, allowOrBlock),
    ...egressWith(profile, options),
    hostAccess: {
      lan: wordOf('--lan', options.lan ?? profile.hostAccess.lan, ['profile', 'direct', 'block']),
      loopbackPorts: portsWith(profile, options),
    },
    failure: failureWith(profile, options),
    isolation: isolationOf(options.isolation ?? profile.isolation),
  };
}

function nonEmpty(texts: Record<string, string | undefined>): Partial<Profile> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined));
}

function withoutEgress({ egress: _, ...profile }: Profile): Profile {
  return profile;
}

function egressWith({ egress }: Profile, options: ProfileOptions): { egress?: string } {
  const next = options.egress ?? egress;
  return next === undefined || next === false ? {} : { egress: next };
}

function chainWith({ chain }: Profile, { chain: mode, chainLength }: ProfileOptions): Profile['chain'] {
  if (mode === undefined && chainLength === undefined) return chain;
  const { length, ...others } = chain;
  const next = chainOf({ chain: mode ?? chain.mode, chainLength });
  const takesLength = next.mode === 'random' || next.mode === 'round-robin';
  return { ...others, ...(takesLength && length !== undefined ? { length } : {}), ...next };
}

/** Each server with what the options say of servers. */
function withServers(chain: Profile['chain'], options: ProfileOptions): Profile['chain'] {
  const { fingerprint, timeout } = options;
  if (fingerprint === undefined && timeout === undefined) return chain;
  const certified = fingerprint === undefined ? undefined : certifiedServer(chain, options.server);
  const servers = chain.servers.map((server) => {
    const { fingerprint: before, timeoutMs, ...rest } = server;
    const next = server.id === certified ? (fingerprint ?? before) : before;
    const limit = timeout ?? timeoutMs;
    return {
      ...rest,
      ...(next === undefined || next === false ? {} : { fingerprint: fingerprintOf(next) }),
      ...(limit === undefined || limit === false ? {} : { timeoutMs: millisecondsOf(limit) }),
    };
  });
  return { ...chain, servers };
}

/** The named one, else the only one that shows a certificate. */
function certifiedServer({ servers }: Profile['chain'], name: string | undefined): string {
  const shows = servers.filter(({ kind, id }) => kind === 'https' && (name === undefined || id === name));
  const [only, ...more] = shows;
  if (only === undefined) throw invalid('--fingerprint is for an https proxy, and this is none');
  if (more.length > 0)
    throw invalid(`name one of its servers: --server ${shows.map(({ id }) => id).join('|')}`);
  return only.id;
}

/** As it is written down, out of any of the forms in which programs print it. */
function fingerprintOf(text: string): string {
  const digits = text.replace(/^sha-?256(?: fingerprint)?[:= ]/i, '').replaceAll(/[:\s]/g, '');
  if (!/^[0-9a-f]{64}$/i.test(digits))
    throw invalid('--fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits');
  return digits.toLowerCase();
}

function millisecondsOf(text: string | number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 100 || value > 60_000)
    throw invalid('--timeout is a number of milliseconds from 100 to 60000');
  return value;
}

/** What goes out directly looks names up here, what does not must not: so the mode follows the action. */
function dnsWith({ dns }: Profile, action: Profile['action'], options: ProfileOptions): Profile['dns'] {
  const isDirect = action === 'direct';
  if (options.resolver !== undefined) {
    const mode = options.dns ?? 'remote';
    if (mode.includes('=')) throw invalid('--resolver and an address in --dns exclude one another');
    return dnsOf(`${mode}=${options.resolver}`, isDirect);
  }
  if (options.dns !== undefined) return dnsOf(options.dns, isDirect);
  if (options.action === undefined) return dns;
  if (isDirect) return { mode: 'host' };
  return dns.mode === 'host' ? { mode: 'fake' } : dns;
}

function portsWith({ hostAccess }: Profile, { hostPort }: ProfileOptions): number[] {
  if (hostPort === undefined) return hostAccess.loopbackPorts;
  if (hostPort === false) return [];
  const ports = hostPort.flatMap((text) => text.split(',')).map((text) => text.trim());
  for (const port of ports) {
    const isPort = /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
    if (!isPort) throw invalid(`--host-port is a port from 1 to 65535, not “${port}”`);
  }
  return [...new Set(ports.map(Number))];
}

function failureWith(
  { failure }: Profile,
  { failover, onFailure }: Pick<ProfileOptions, 'failover' | 'onFailure'>,
): Profile['failure'] {
  if (typeof failover === 'string') {
    if (onFailure !== undefined) throw invalid('--failover and --on-failure exclude one another');
    return { policy: 'failover', profile: failover };
  }
  if (onFailure !== undefined) return { policy: wordOf('--on-failure', onFailure, ['block', 'ask']) };
  return failover === false ? { policy: 'block' } : failure;
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
