/** Profiles and servers out of proxies that somebody typed. Plain functions; no password stays in what they answer. */
import { parse } from 'valibot';
import type { Upstream } from '#shared/model.ts';
import { profile as profileSchema, type Profile, type Server } from '#shared/profile.ts';

/** A profile with everything usual: `direct` where it has no proxy. Its id is set by whoever adds it. */
export function newProfile(name: string, upstreams: readonly Upstream[]): Profile {
  const isDirect = upstreams.length === 0;
  return parse(profileSchema, {
    id: 'new',
    name,
    ...(isDirect ? { action: 'direct', dns: { mode: 'host' } } : {}),
    chain: { servers: serversOf(upstreams, []) },
  });
}

/** Servers with ids that none of the others has, without their passwords. */
export function serversOf(upstreams: readonly Upstream[], others: readonly Server[]): Server[] {
  const taken = new Set(others.map(({ id }) => id));
  return upstreams.map(({ password, ...server }) => {
    let number = 1;
    while (taken.has(`s${number}`)) number += 1;
    const id = `s${number}`;
    taken.add(id);
    const signIn = password !== undefined && server.user === undefined ? { user: '' } : {};
    return { ...server, ...signIn, id };
  });
}
