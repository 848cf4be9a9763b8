/** The command that writes a profile down as the window has it, without its passwords. Pure. */
import type { Profile } from '#shared/profile.ts';
import { authorityOf, takesSome } from './profile-form.ts';

/** The arguments of `culvert profile add`. What it cannot say (servers that are off, time limits) is left out. */
export function addCommand(profile: Profile): string[] {
  const { chain, dns, failure, hostAccess, letter, egress } = profile;
  const servers = chain.servers.filter(({ isOff }) => isOff !== true);
  const options: [string, string][] = [['name', profile.name]];
  const say = (name: string, value: string | undefined, usual: string | undefined) => {
    if (value !== undefined && value !== usual) options.push([name, value]);
  };
  say('colour', profile.colour, '#5b6ee1');
  say('letter', letter, undefined);
  say('action', profile.action, servers.length === 0 ? 'direct' : 'proxy');
  say('chain', chain.mode, 'strict');
  if (takesSome(chain.mode)) say('chain-length', chain.length?.toString(), undefined);
  say('dns', dns.mode, servers.length === 0 ? 'host' : 'fake');
  say('resolver', dns.resolver, undefined);
  say('udp', profile.udp, 'allow');
  say('ipv6', profile.ipv6, 'allow');
  say('egress', egress, undefined);
  say('lan', hostAccess.lan, 'profile');
  for (const port of hostAccess.loopbackPorts) say('host-port', String(port), undefined);
  if (failure.policy === 'failover') say('failover', failure.profile, undefined);
  else say('on-failure', failure.policy, 'block');
  say('isolation', profile.isolation, 'auto');
  const links = servers.map(({ kind, user, ...at }) => {
    const signIn = user === undefined ? '' : `${encodeURIComponent(user)}@`;
    return `${kind}://${signIn}${authorityOf(at)}`;
  });
  return [
    ...['culvert', 'profile', 'add'],
    ...options.map(([name, value]) => `--${name}=${value}`),
    ...(links.length === 0 ? ['direct'] : links),
  ];
}
