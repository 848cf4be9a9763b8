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
    chain: chainWith(profile, options),
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

function failureWith({ failure }: Profile, { failover }: ProfileOptions): Profile['failure'] {
  if (failover === undefined) return failure;
  return failover === false ? { policy: 'block' } : { policy: 'failover', profile: failover };
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
