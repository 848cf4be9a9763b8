import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig, parseConfig } from '../../../electron/engine/config/parse.ts';
import { schemaProblems } from '../../../electron/engine/config/problems.ts';
import { writeAnew } from '../../../electron/engine/config/rewrite.ts';
import { CulvertError } from '../../../electron/shared/failure.ts';
import { brokenConfig, wholeConfig } from './arbitrary.ts';

/** What is said against a text, one problem each. */
function said(text: string): string[] {
  try {
    parseConfig(text);
  } catch (error) {
    if (error instanceof CulvertError) return (error.failure.detail ?? '').split('; ');
    throw error;
  }
  return [];
}

function saidOf(value: object): string[] {
  return said(JSON.stringify({ version: 1, ...value })).map((text) =>
    text.replace(/^culvert\.json:1:\d+ /, ''),
  );
}

const server = { id: 's', kind: 'socks5', host: 'proxy.example', port: 1080 };
const profile = { id: 'work', name: 'Work', chain: { servers: [server] } };
const withServer = (parts: object) => ({
  profiles: [{ ...profile, chain: { servers: [{ ...server, ...parts }] } }],
});
const withProfile = (parts: object) => ({ profiles: [{ ...profile, ...parts }] });
const rule = { id: 'r', match: {}, action: 'block' };

describe('the text of a configuration', () => {
  it('may have comments and trailing commas', () => {
    expect(parseConfig('{ // one\n "version": 1, /* two */ "profiles": [ ], }').config).toEqual(
      checkConfig({ version: 1 }),
    );
  });

  it('is told every problem with line, column, field, what is expected and what was found', () => {
    const text = `{
  "version": 1,
  "profiles": [
    { "id": "work", "name": "", "chain": { "servers": [
      { "id": "a", "kind": "socks6", "host": "h", "port": 70000 } ] } }
  ],
  "rules": {}
}`;
    expect(said(text)).toEqual([
      'culvert.json:4:29 field profiles[0].name: must not be empty',
      'culvert.json:5:28 field profiles[0].chain.servers[0].kind: must be one of "socks5", "socks4", "socks4a", "http", "https", found “socks6”',
      'culvert.json:5:59 field profiles[0].chain.servers[0].port: must be at most 65535, found 70000',
      'culvert.json:7:12 field rules: must be a list, found an object',
    ]);
  });

  it.each([
    ['', 'culvert.json: the file is empty'],
    ['{ "version": 1', 'culvert.json:1:15: a closing brace } is missing here'],
    ['{\n  "version" 1\n}', 'culvert.json:2:13: a colon is missing here'],
    ['{ "version": 1 "apps": {} }', 'culvert.json:1:16: a comma is missing here'],
    ['{ "version": 1, "version": 1 }', 'culvert.json:1:17 field version: is given twice'],
    ['[]', 'culvert.json:1:1: must be an object in braces, found a list of 0'],
    ['{}', 'culvert.json:1:1 field version: is missing'],
    ['{ "version": "1" }', 'culvert.json:1:14 field version: must be 1, found “1”'],
    ['{ "version": 0 }', 'culvert.json:1:14 field version: must be 1, found 0'],
    [
      '{ "version": 1, "apps": { "__proto__": "x" } }',
      'culvert.json:1:27 field apps.__proto__: this name cannot be used',
    ],
    [
      '{ "version": 1, "apps": { "constructor": "x" } }',
      'culvert.json:1:27 field apps.constructor: this name cannot be used',
    ],
  ])('%j is refused: %s', (text, reason) => {
    expect(said(text)[0]).toBe(reason);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('may not nest without end', () => {
    expect(said('['.repeat(3_000_000))).toEqual(['culvert.json:1:65: this is nested too deeply']);
  });

  it('tells ten problems and the number of the others', () => {
    const problems = saidOf({ profiles: Array.from({ length: 25 }, () => ({})) });
    expect(problems).toHaveLength(11);
    expect(problems[10]).toBe('and 40 more');
  });

  it('with a password in it is told where passwords are kept, and not the password', () => {
    const [problem = ''] = saidOf(withServer({ password: 'hunter2-canary', pasword: 'hunter2-canary' }));
    expect(problem).toContain(
      'field profiles[0].chain.servers[0].password: passwords are not kept in this file',
    );
    expect(problem).toContain('--password-stdin');
    expect(saidOf(withServer({ password: 'canary', pasword: 'canary' })).join()).not.toContain('canary');
    expect(saidOf(withServer({ host: 'socks5://me:canary@host' })).join()).not.toContain('canary');
    expect(saidOf(withServer({ kind: 'socks5://me:canary@host' })).join()).not.toContain('canary');
  });

  it('of an older version is brought to this one step by step', () => {
    const steps = {
      [-1]: (raw: object) => ({ ...raw, version: 0, list: ['work'] }),
      [0]: (raw: Readonly<Record<string, unknown>>) => {
        const { list, ...rest } = raw;
        return { ...rest, version: 1, profiles: (list as string[]).map((id) => ({ id, name: id })) };
      },
    };
    const parsed = parseConfig('{ "version": -1 }', 'culvert.json', steps);
    expect([parsed.migratedFrom, parsed.config.profiles[0]?.id]).toEqual([-1, 'work']);
    const wrong = () => parseConfig('{ "version": 0, "list": ["A B"] }', 'culvert.json', steps);
    expect(wrong).toThrow('culvert.json field profiles[0].id: must be small letters, digits and hyphens');
  });
});

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
      'field rules[0].match.ports[0]: must be a port or a range between 1 and 65535',
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

describe('any text at all', () => {
  const isAccepted = (text: string) => {
    try {
      parseConfig(text);
      return true;
    } catch (error) {
      if (error instanceof CulvertError) return false;
      throw error;
    }
  };

  it('is a configuration or a failure of ours: random texts', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      '//',
      '/*',
      '"version"',
      '1',
      'null',
      '\n',
      '"apps"',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void isAccepted(text)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join('')),
        (text) => void isAccepted(text),
      ),
      { numRuns: 2000 },
    );
  });

  it('is a configuration or a failure of ours: texts that were one, with something changed', () => {
    fc.assert(
      fc.property(
        wholeConfig,
        fc.nat(),
        fc.nat(40),
        fc.string({ maxLength: 5 }),
        (config, at, length, put) => {
          const text = writeAnew(config);
          expect(parseConfig(text).config).toEqual({ $schema: './culvert.schema.json', ...config });
          const from = at % text.length;
          isAccepted(text.slice(0, from) + put + text.slice(from + length));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('has no word of a canary in its failure, wherever a URL with it is put', () => {
    fc.assert(
      fc.property(brokenConfig('socks5://me:canary@host'), (value) => {
        const result = schemaProblems(value);
        const problems: object = 'problems' in result ? result.problems : {};
        expect(JSON.stringify(problems)).not.toContain('canary');
      }),
      { numRuns: 500 },
    );
  });
});
