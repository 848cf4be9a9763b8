/** Settings that are right by themselves and wrong together, or wrong in a way that only their parsers know. */
import { describe, expect, it } from 'vitest';
import { profile, said, saidOf, server, withServer } from './said.ts';

const withProfile = (parts: object) => ({ profiles: [{ ...profile, ...parts }] });
const rule = { id: 'r', match: {}, action: 'block' };

describe('what no schema can say', () => {
  it.each<[string, object, string]>([
    [
      'an id twice',
      { profiles: [profile, profile] },
      'field profiles[1].id: “work” is taken: each needs an id of its own',
    ],
    [
      'a server id twice',
      withProfile({ chain: { servers: [server, server] } }),
      'field profiles[0].chain.servers[1].id: “s” is taken: each needs an id of its own',
    ],
    [
      'a rule id twice',
      { rules: [rule, rule] },
      'field rules[1].id: “r” is taken: each needs an id of its own',
    ],
    [
      'the id of a built-in profile',
      withProfile({ id: 'direct' }),
      'field profiles[0].id: “direct” is built in: take another id',
    ],
    ['a default that is not there', { defaultProfile: 'x' }, 'field defaultProfile: there is no profile “x”'],
    [
      'an app with a profile that is not there',
      { apps: { 'org.a.B': 'x' } },
      'field apps["org.a.B"]: there is no profile “x”',
    ],
    [
      'a rule without its profile',
      { rules: [{ ...rule, action: 'profile' }] },
      'field rules[0].profile: is missing: the action “profile” needs one',
    ],
    [
      'a rule with a profile for nothing',
      { rules: [{ ...rule, profile: 'none' }] },
      'field rules[0].profile: is for the action “profile” only',
    ],
    [
      'a rule to a profile that is not there',
      { rules: [{ ...rule, action: 'profile', profile: 'x' }] },
      'field rules[0].profile: there is no profile “x”',
    ],
    [
      'a rule for a profile that is not there',
      { rules: [{ ...rule, match: { profiles: ['none', 'x'] } }] },
      'field rules[0].match.profiles[1]: there is no profile “x”',
    ],
    [
      'ports in the wrong order',
      { rules: [{ ...rule, match: { ports: ['9-8'] } }] },
      'field rules[0].match.ports[0]: ends before it begins',
    ],
    [
      'a port that there is not',
      { rules: [{ ...rule, match: { ports: ['443', '70000'] } }] },
      'field rules[0].match.ports[1]: is no port or range within 1 to 65535',
    ],
    [
      'a range of addresses that is none',
      { rules: [{ ...rule, match: { to: ['a.test', '10.0.0.0/40'] } }] },
      'field rules[0].match.to[1]: is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32',
    ],
    [
      'an expression that does not end',
      { rules: [{ ...rule, match: { to: ['/('] } }] },
      'field rules[0].match.to[0]: is no regular expression: it needs a / at both ends',
    ],
    [
      'a rewrite of a name',
      withProfile({ rewrites: [{ from: '192.0.2.1', to: 'a.test:80' }] }),
      'field profiles[0].rewrites[0].to: must be an address, with a port if need be',
    ],
    [
      'a rewrite of a port that there is not',
      withProfile({ rewrites: [{ from: '192.0.2.1:0', to: '192.0.2.2' }] }),
      'field profiles[0].rewrites[0].from: must be an address, with a port if need be',
    ],
    [
      'a resolver by its name',
      withProfile({ dns: { mode: 'remote', resolver: 'dns.example' } }),
      'field profiles[0].dns.resolver: must be an address, with :port or as [IPv6 address]:port if need be',
    ],
    [
      'a resolver for tests by its name',
      { probe: { resolver: 'dns.example' } },
      'field probe.resolver: must be an address, with :port or as [IPv6 address]:port if need be',
    ],
    [
      'a page for tests with a password',
      { probe: { url: 'https://me:canary@page.example/' } },
      'field probe.url: must be the http or https URL of a page, without a user name',
    ],
    [
      'more servers at once than there are',
      withProfile({ chain: { mode: 'random', length: 2, servers: [server] } }),
      'field profiles[0].chain.length: must be at most 1, the number of servers',
    ],
    [
      'names beside the proxy',
      withProfile({ dns: { mode: 'host' } }),
      'field profiles[0].dns.mode: must be fake or remote: with host, names would be looked up beside the proxy (host is for the action direct)',
    ],
    [
      'an interface that can be none',
      withProfile({ egress: 'eth0:1' }),
      'field profiles[0].egress: must be a name of an interface',
    ],
    [
      'a fingerprint without TLS',
      withServer({ fingerprint: 'a'.repeat(64) }),
      'field profiles[0].chain.servers[0].fingerprint: is for the kind https only',
    ],
    [
      'a URL as host',
      withServer({ host: 'me@proxy' }),
      'field profiles[0].chain.servers[0].host: must be a name or an address alone, without user, port, scheme or brackets',
    ],
    [
      'failover to nothing',
      withProfile({ failure: { policy: 'failover' } }),
      'field profiles[0].failure.profile: is missing: the policy “failover” needs one',
    ],
    [
      'failover to no proxy',
      withProfile({ failure: { policy: 'failover', profile: 'direct' } }),
      'field profiles[0].failure.profile: “direct” has no chain to take: a failed proxy is never replaced by none',
    ],
    [
      'failover to itself',
      withProfile({ failure: { policy: 'failover', profile: 'work' } }),
      'field profiles[0].failure.profile: leads back to “work”: the profiles would wait for each other',
    ],
  ])('%s is refused', (_, value, reason) => {
    expect(saidOf(value)).toEqual([reason]);
  });

  it('of a rule that is off is not said, with line and field of one that is on', () => {
    const text = (isOff: boolean) => `{
  "version": 1,
  "rules": [
    { "id": "r", "isOff": ${isOff}, "action": "profile", "profile": "gone", "match": {
      "ports": ["0"],
      "to": ["a b"] } }
  ]
}`;
    expect(said(text(true))).toEqual([]);
    expect(said(text(false))).toEqual([
      'culvert.json:4:66 field rules[0].profile: there is no profile “gone”',
      expect.stringMatching(/^culvert\.json:6:14 field rules\[0\]\.match\.to\[0\]: is no name: /),
      'culvert.json:5:17 field rules[0].match.ports[0]: is no port or range within 1 to 65535',
    ]);
  });

  it('failovers in a circle are refused, one behind the other are not', () => {
    const chained = (id: string, next?: string) => ({
      ...profile,
      id,
      failure: next === undefined ? { policy: 'block' } : { policy: 'failover', profile: next },
    });
    expect(saidOf({ profiles: [chained('a', 'b'), chained('b', 'c'), chained('c', 'a')] })).toHaveLength(3);
    expect(saidOf({ profiles: [chained('a', 'b'), chained('b', 'c'), chained('c')] })).toEqual([]);
  });
});
