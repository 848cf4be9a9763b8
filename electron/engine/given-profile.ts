/** A profile that was given on a command line instead of written down: proxies, and how names and UDP go. Pure. */
import type { Upstream } from '#shared/model.ts';
import { profile as profileSchema, type ChainMode, type Rule } from '#shared/profile.ts';
import { parse } from 'valibot';
import type { DnsChoice, ProfileChoice } from './lane-spec.ts';
import { formatUpstream } from './upstream/url.ts';

export interface GivenProfile {
  /** In the order of the chain; empty for no proxy at all, directly out of the host namespace. */
  readonly upstreams: readonly Upstream[];
  readonly mode?: ChainMode | undefined;
  readonly length?: number | undefined;
  readonly dns: DnsChoice;
  readonly udp: 'allow' | 'block';
  /** The host's interface that it goes out by. */
  readonly egress?: string | undefined;
  readonly rules?: readonly Rule[] | undefined;
}

/** What the profile is called: by its proxies. */
function nameOf(upstreams: readonly Upstream[]): string {
  const name = upstreams.map(formatUpstream).join(' → ');
  return name === '' ? 'Direct' : name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

/** Passwords go beside the profile, by the ids of its servers. */
export function givenProfile(given: GivenProfile): ProfileChoice {
  const { upstreams, mode, length, dns, udp, egress, rules } = given;
  const passwords = new Map<string, string>();
  const servers = upstreams.map(({ password, ...server }, index) => {
    const id = `s${index + 1}`;
    if (password !== undefined) passwords.set(id, password);
    // A password without a user name is told with an empty one.
    return { ...server, id, ...(password !== undefined && server.user === undefined ? { user: '' } : {}) };
  });
  const profile = parse(profileSchema, {
    id: 'given',
    name: nameOf(upstreams),
    action: upstreams.length === 0 ? 'direct' : 'proxy',
    chain: { servers, ...(mode === undefined ? {} : { mode }), ...(length === undefined ? {} : { length }) },
    dns,
    udp,
    ...(egress === undefined ? {} : { egress }),
  });
  return { kind: 'given', profile, passwords, rules: rules ?? [] };
}
