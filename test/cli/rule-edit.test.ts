import { describe, expect, test } from 'vitest';
import { positionOf, rowsOf } from '../../electron/cli/rule-edit.ts';
import { testLines } from '../../electron/cli/rule-test.ts';
import { parseDestination, testDestination } from '../../electron/engine/destination-test.ts';
import { config as configSchema, type Config, type Rule } from '../../electron/shared/profile.ts';
import { parse } from 'valibot';

const rules: Rule[] = [
  { id: 'r1', match: { to: ['*.corp.example'] }, action: 'direct' },
  { id: 'r2', match: { to: ['a.corp.example'] }, action: 'block', note: 'the old one' },
  { id: 'r3', match: { processes: ['ssh'], ports: ['22'] }, action: 'block', isOff: true },
];

test('a row has the position, the state, the sentence, and why a rule can never decide', () => {
  expect(rowsOf(rules)).toEqual([
    ['1', 'r1', 'on', 'Any app to *.corp.example → direct', ''],
    [
      ...['2', 'r2', 'on', 'Any app to a.corp.example → block  (the old one)'],
      'never decides: r1 before it takes all of it',
    ],
    ['3', 'r3', 'off', 'Any app (process ssh) to port 22 → block', ''],
  ]);
});

describe('a place in the list', () => {
  test.each([
    [{}, undefined],
    [{ first: true }, 1],
    [{ last: true }, 4],
    [{ before: 'r2' }, 2],
    [{ after: 'r2' }, 3],
    [{ after: 'r3' }, 4],
  ])('%o is %s', (options, position) => {
    expect(positionOf(rules, options)).toBe(position);
  });

  test('is one, beside a rule that is there', () => {
    expect(() => positionOf(rules, { first: true, before: 'r1' })).toThrow(/exclude one another/);
    expect(() => positionOf(rules, { before: 'r9' })).toThrow(/no such rule/);
  });
});

test.each([
  ['example.com:443', { host: 'example.com', port: 443 }],
  ['192.0.2.1:53', { host: '192.0.2.1', port: 53 }],
  ['[2001:db8::1]:53', { host: '2001:db8::1', port: 53 }],
])('the destination %s is understood', (text, expected) => {
  expect(parseDestination(text)).toEqual(expected);
});

test.each(['example.com', 'example.com:', ':80', 'a:0', 'a:70000', '2001:db8::1:53', '[a]:1', 'http://a:80'])(
  '“%s” is no destination',
  (text) => {
    expect(() => parseDestination(text)).toThrow(/a destination is HOST:PORT/);
  },
);

describe('what is said of a connection', () => {
  const server = (host: string) => ({ chain: { servers: [{ id: 's1', kind: 'socks5', host, port: 1080 }] } });
  const config: Config = parse(configSchema, {
    version: 1,
    profiles: [
      { id: 'work', name: 'Work', ...server('192.0.2.1') },
      { id: 'home', name: 'Home', udp: 'block', ...server('192.0.2.2') },
    ],
    rules: [
      { id: 'r0', match: { to: ['off.test'] }, action: 'block', isOff: true },
      { id: 'r1', match: { apps: ['curl'], to: ['*.corp.example'], ports: ['80'] }, action: 'direct' },
      { id: 'r2', match: { processes: ['ssh'], to: ['x.test'] }, action: 'profile', profile: 'home' },
      { id: 'r3', match: { to: ['bad.test'] }, action: 'block' },
    ],
  });
  const said = async (host: string, { process, udp = false }: { process?: string; udp?: boolean } = {}) => {
    const profile = config.profiles[udp ? 1 : 0] ?? config.profiles[0];
    if (profile === undefined) throw new Error('there is a profile');
    const facts = {
      ...{ protocol: udp ? ('udp' as const) : ('tcp' as const), host, port: 80 },
      ...(process === undefined ? {} : { process }),
    };
    return testLines(
      'it',
      config,
      profile,
      await testDestination(config, { apps: ['curl'], profile, facts }),
    );
  };

  test('names the rule that decides, by what of it, and the outcome', async () => {
    expect(await said('a.corp.example')).toEqual([
      'it → direct',
      '  decided by r1: curl to *.corp.example port 80 → direct',
      '    ports: 80',
      '    apps: curl',
      '    to: *.corp.example',
    ]);
    expect((await said('bad.test'))[0]).toBe('it → blocked');
  });

  test('says what the profile does where no rule decides', async () => {
    const lines = await said('else.test');
    expect(lines.slice(0, 2)).toEqual([
      'it → socks5://192.0.2.1:1080',
      '  no rule decides; the profile’s own proxy is taken',
    ]);
    expect((await said('else.test', { udp: true }))[1]).toBe(
      '  no rule decides; the profile refuses it: UDP is turned off for this app',
    );
  });

  test('tells of rules that are off, and of one that depends on the process', async () => {
    expect(await said('off.test')).toContain('  off, or it would: r0: Any app to off.test → block');
    expect(await said('x.test')).toEqual(
      expect.arrayContaining([
        'it → socks5://192.0.2.1:1080',
        expect.stringMatching(/unless its process is one that this names, see --process: r2: /),
      ]),
    );
    expect((await said('x.test', { process: 'ssh' }))[0]).toBe('it → socks5://192.0.2.2:1080');
  });
});
