import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { profile as profileSchema, type Profile, type Rule } from '#shared/profile.ts';
import {
  exportJson,
  exportLinks,
  importText,
  type ImportedSecret,
} from '../../../electron/engine/import/index.ts';
import { canary, entriesOf, expectSound, refusalOf } from './texts.ts';

const slug = fc
  .stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
  .filter((id) => id !== 'none' && id !== 'direct');
const host = fc.oneof(
  fc.ipV4(),
  fc.stringMatching(/^[a-z][a-z0-9]{0,9}(\.[a-z0-9]{1,9}){0,3}$/),
  fc.constantFrom('2001:db8::1', '::1', 'fe80::1:2:3'),
);
/** What a sign-in may be made of for every kind of proxy. */
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const user = word.filter((text) => !text.includes(':') && Buffer.byteLength(text) <= 255);
const password = fc.oneof(word, fc.constant('')).filter((text) => Buffer.byteLength(text) <= 255);
const name = fc.stringMatching(/^[A-Za-z0-9#%@:/&äß日本.,;_-]( ?[A-Za-z0-9#%@:/&äß日本.,;_-]){0,20}$/u);

interface Written {
  readonly profile: Profile;
  readonly secrets: ImportedSecret[];
}

const server = fc
  .record({
    kind: fc.constantFrom('socks5', 'http', 'https', 'socks4', 'socks4a'),
    host,
    port: fc.integer({ min: 1, max: 65_535 }),
    user: fc.option(user, { nil: undefined }),
    password: fc.option(password, { nil: undefined }),
  })
  .map((parts) => {
    const isSocks4 = parts.kind.startsWith('socks4');
    return { ...parts, password: isSocks4 || parts.user === undefined ? undefined : parts.password };
  });

const written = (most: number): fc.Arbitrary<Written> =>
  fc.record({ id: slug, name, servers: fc.array(server, { minLength: 1, maxLength: most }) }).map((parts) => {
    const servers = parts.servers.map(({ kind, host, port, user }, index) => ({
      ...{ id: `server-${index + 1}`, kind, host, port },
      ...(user !== undefined && { user }),
    }));
    const secrets = parts.servers.flatMap(({ password }, index) =>
      password === undefined ? [] : [{ profile: parts.id, server: `server-${index + 1}`, password }],
    );
    return {
      profile: v.parse(profileSchema, { id: parts.id, name: parts.name, chain: { servers } }),
      secrets,
    };
  });

describe('an export', () => {
  it('as a link comes in again as the same proxy, with its name and password', () => {
    fc.assert(
      fc.property(written(1), ({ profile, secrets }) => {
        const back = importText(exportLinks(profile, secrets), { kind: 'links' });
        expect(back.profiles.map(({ name, chain }) => ({ name, chain }))).toEqual([
          { name: profile.name, chain: profile.chain },
        ]);
        expect(back.secrets.map(({ server, password }) => [server, password])).toEqual(
          secrets.map(({ server, password }) => [server, password]),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('as JSON comes in again as the same profiles, rules and passwords', () => {
    const rule: fc.Arbitrary<Omit<Rule, 'id'>> = fc.record({
      match: fc.record({
        to: fc.constantFrom(['10.0.0.0/8'], ['*.example.com', 'x.example']),
        ports: fc.constant(['80']),
      }),
      action: fc.constantFrom('direct', 'block', 'proxy'),
    });
    const several = fc.uniqueArray(written(4), { maxLength: 5, selector: ({ profile }) => profile.id });
    fc.assert(
      fc.property(several, fc.array(rule, { maxLength: 5 }), (all, bare) => {
        const profiles = all.map(({ profile }) => profile);
        const rules = bare.map((each, index) => ({ ...each, id: `r${index}` }));
        const secrets = all.flatMap((each) => each.secrets);
        const back = importText(exportJson({ profiles, rules }, secrets));
        expect(back.kind).toBe('culvert');
        expect(back.profiles).toEqual(profiles);
        expect(back.rules).toEqual(rules);
        expect(back.secrets).toEqual(secrets);
        expect(back.lines.filter(({ status }) => status !== 'taken')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('has passwords only if they are given', () => {
    const { profiles, secrets } = importText(`socks5://joe:${canary}@h:1#Work\nsocks5://jane:other@h:1`);
    const [work] = profiles;
    if (work === undefined) throw new Error('nothing was taken');
    expect(exportLinks(work)).toBe('socks5://joe@h:1#Work\n');
    expect(exportJson({ profiles })).not.toContain(canary);
    expect(exportJson({ profiles })).not.toContain('secrets');
    expect(exportLinks(work, secrets)).toBe(`socks5://joe:${canary}@h:1#Work\n`);
    expect(exportJson({ profiles: [work] }, secrets)).toContain(canary);
    expect(exportJson({ profiles: [work] }, secrets)).not.toContain('other');
  });

  it('says of a chain that its links are separate proxies', () => {
    const text = '[ProxyList]\nsocks5 192.0.2.1 1080\nhttp 192.0.2.2 3128\n';
    const [profile] = importText(text).profiles;
    if (profile === undefined) throw new Error('nothing was taken');
    expect(exportLinks(profile).split('\n')).toEqual([
      '# a dynamic chain; as links these are 2 separate proxies',
      'socks5://192.0.2.1:1080#proxychains%20(1%20of%202)',
      'http://192.0.2.2:3128#proxychains%20(2%20of%202)',
      '',
    ]);
  });
});

describe('JSON of Culvert', () => {
  const work = {
    id: 'work',
    name: 'Work',
    chain: { servers: [{ id: 's', kind: 'socks5', host: '192.0.2.1', port: 1080 }] },
  };
  const read = (object: object) => importText(JSON.stringify({ version: 1, ...object }, undefined, 1));

  it('may be a whole configuration, of which only profiles and rules are taken', () => {
    const rules = [
      { id: 'a', match: { profiles: ['work'] }, action: 'direct' },
      { id: 'b', match: {}, action: 'direct' },
      { id: 'c', match: { profiles: ['gone'] }, action: 'block' },
    ];
    const result = read({
      profiles: [work],
      rules,
      apps: { firefox: 'work' },
      defaultProfile: 'work',
      oops: 1,
    });
    expectSound(result);
    expect(result.rules).toHaveLength(3);
    const entries = entriesOf(result).join('\n');
    expect(entries).toContain('rule b: it is for all profiles');
    expect(entries).toContain('“gone”, which is not in this file');
    expect(entries).toMatch(/note: apps: .*not taken/);
    expect(entries).toContain('skipped: an unknown member');
  });

  it.each([
    [{ profiles: [{ ...work, id: 'none' }] }, 'the id “none” is taken'],
    [{ profiles: [work, work] }, 'the id “work” is taken'],
    [{ profiles: [{ ...work, color: 'red' }] }, '“color” is not of the right form'],
    [
      { profiles: [{ ...work, chain: { servers: [...work.chain.servers, ...work.chain.servers] } }] },
      'the same id',
    ],
    [
      { profiles: [{ ...work, chain: { servers: [{ ...work.chain.servers[0], host: 'a b' }] } }] },
      'not a host name',
    ],
    [{ profiles: [{ ...work, rewrites: [{ from: 'x', to: 'y' }] }] }, 'a rewrite is not'],
    [{ rules: [{ id: 'r', match: { to: ['/(/'] }, action: 'block' }] }, 'no regular expression'],
    [{ rules: [{ id: 'r', match: {}, action: 'profile' }] }, 'it names no profile'],
    [{ secrets: [{ profile: 'work', server: 's', password: canary }] }, 'there is no such server'],
    [
      { profiles: [work], secrets: [{ profile: 'work', server: 's', password: canary, [canary]: 1 }] },
      'form',
    ],
  ])('says of %j what is wrong', (object, reason) => {
    const result = read(object);
    expectSound(result);
    const bad = result.lines.filter(({ status }) => status === 'invalid');
    expect(bad.map((entry) => entry.reason).join()).toContain(reason);
  });

  it.each([
    ['{"profiles": [}]', 'line 1: this is not JSON'],
    ['{"profiles": []', 'before its time'],
    ['{"profiles": \n oops }', 'line 2: this is not JSON'],
    [`{"profiles": ${'['.repeat(100_000)}`, 'deeper than 32'],
    ['{"version": 2, "profiles": []}', 'newer'],
  ])('%s is refused', (text, reason) => {
    expect(refusalOf(text)).toContain(reason);
  });

  it('cannot reach the prototype of anything', () => {
    const result = importText(
      `{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "profiles": [{"__proto__": {"polluted": 1}, "id": "a", "name": "A"}]}`,
    );
    expectSound(result);
  });
});
