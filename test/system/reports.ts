/** What tests of `culvert profile test` and `culvert check` have in common: profiles by hand, and reports in short. */
import type { CheckReport } from '#shared/model.ts';
import { internet } from '../world/addresses.ts';

/** A page of the world's that answers with the address that it sees, and a resolver. */
export const probe = { url: 'http://example.test/peer', resolver: internet.dns4 };

/** A profile of servers that are in this order, each with an id of its own. */
export function profileOf(id: string, servers: readonly object[], more: object = {}) {
  const named = servers.map((server, index) => ({ ...server, id: `s${index + 1}` }));
  return { id, name: id, chain: { mode: 'strict', servers: named, ...more } };
}

/** A server of a profile for a proxy URL without a sign-in. */
export function urlServer(url: string) {
  const { protocol, hostname, port } = new URL(url);
  return { kind: protocol.slice(0, -1), host: hostname, port: Number(port) };
}

/** The outcome of each stage; of several lines about one the different ones. */
export function outcomes({ lines }: CheckReport): Record<string, string> {
  const found = new Map<string, Set<string>>();
  for (const { stage, outcome } of lines) found.set(stage, (found.get(stage) ?? new Set()).add(outcome));
  return Object.fromEntries([...found].map(([stage, all]) => [stage, [...all].sort().join(' ')]));
}
