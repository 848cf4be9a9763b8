/** The form of a profile: what it makes of what is typed, and what it says of it. */
import { expect, test } from 'vitest';
import { parse } from 'valibot';
import { phrase, type Phrase } from '../../electron/shared/phrase.ts';
import { profile as profileSchema, type Profile } from '../../electron/shared/profile.ts';
import { addCommand } from '../../renderer/profile-command.ts';
import { formOf, moved, newForm, newServer, profileOf, passwordsOf } from '../../renderer/profile-form.ts';
import type { ProfileForm } from '../../renderer/profile-form.ts';
import { byLatency, matching } from '../../renderer/profile-order.ts';
import { problemsOf, problemsSaid } from '../../renderer/profile-problems.ts';

const full: Profile = parse(profileSchema, {
  id: 'work',
  name: 'Work',
  colour: '#3a6ea5',
  letter: 'W',
  chain: {
    mode: 'random',
    length: 2,
    servers: [
      { id: 'server-1', kind: 'socks5', host: 'proxy.example', port: 1080, user: 'me', timeoutMs: 2500 },
      { id: 'b', kind: 'https', host: '2001:db8::1', port: 443, fingerprint: 'ab'.repeat(32), isOff: true },
    ],
  },
  dns: { mode: 'remote', resolver: '192.0.2.53:5353' },
  udp: 'block',
  ipv6: 'block',
  failure: { policy: 'failover', profile: 'home' },
  egress: 'wlan0',
  hostAccess: { loopbackPorts: [8080, 5432], lan: 'direct' },
  isolation: 'rootless',
  rewrites: [{ from: '192.0.2.1', to: '198.51.100.1:8080' }],
});
const home: Profile = parse(profileSchema, { id: 'home', name: 'Home' });

const good = (): ProfileForm => {
  const form = newForm('new-1', '#5b6ee1');
  form.name = 'Mine';
  const [server] = form.servers;
  if (server !== undefined) server.host = 'proxy.example';
  return form;
};
/** What is said once one field is changed. */
function wordsFor(change: Change, others: readonly Profile[] = []) {
  const form = good();
  change(form);
  return problemsOf(form, others).map(({ path, word }) => `${path} ${word}`);
}
type Change = (form: ProfileForm) => unknown;
const server =
  (change: object): Change =>
  (form) =>
    Object.assign(form.servers[0] ?? {}, change);

test('a saved profile comes out of its form as it went in', () => {
  expect(profileOf(formOf(full))).toEqual(full);
  expect(profileOf(formOf(home))).toEqual(home);
  expect(problemsOf(formOf(full), [full, home])).toEqual([]);
});

test('what does not belong to the choice that was made is left out', () => {
  const form = formOf(full);
  Object.assign(form, { mode: 'strict', dns: 'fake', policy: 'block' });
  Object.assign(form.servers[1] ?? {}, { kind: 'http' });
  const { chain, dns, failure } = profileOf(form);
  expect(chain).not.toHaveProperty('length');
  expect(chain.servers[1]).not.toHaveProperty('fingerprint');
  expect(dns).toEqual({ mode: 'fake' });
  expect(failure).toEqual({ policy: 'block' });
});

test('a password is kept, replaced or forgotten, and never part of the profile', () => {
  const form = formOf(full);
  expect(passwordsOf(form)).toEqual([]);
  Object.assign(form.servers[0] ?? {}, { password: 'secret' });
  Object.assign(form.servers[1] ?? {}, { password: null });
  expect(passwordsOf(form)).toEqual([
    { server: 'server-1', password: 'secret' },
    { server: 'b', password: null },
  ]);
  expect(JSON.stringify(profileOf(form))).not.toContain('secret');
});

test('a new profile lacks a name and an address, and nothing else', () => {
  const found = problemsOf(newForm('new-1', '#5b6ee1'), []);
  expect(found.map(({ path }) => path)).toEqual(['name', 'chain.servers.server-1.host']);
  expect(problemsOf(good(), [])).toEqual([]);
});

const mistakes: readonly (readonly [Change, string])[] = [
  [server({ host: 'socks5://proxy.example' }), 'chain.servers.server-1.host hostForm'],
  [server({ host: 'me@proxy.example' }), 'chain.servers.server-1.host hostForm'],
  [server({ host: '2001:db8::zz' }), 'chain.servers.server-1.host hostForm'],
  [server({ port: '0' }), 'chain.servers.server-1.port port'],
  [server({ port: '65536' }), 'chain.servers.server-1.port port'],
  [server({ port: '10 80' }), 'chain.servers.server-1.port port'],
  [server({ password: 'x' }), 'chain.servers.server-1.user userMissing'],
  [server({ kind: 'https', fingerprint: 'abc' }), 'chain.servers.server-1.fingerprint fingerprint'],
  [server({ timeout: '61' }), 'chain.servers.server-1.timeoutMs timeout'],
  [server({ timeout: 'soon' }), 'chain.servers.server-1.timeoutMs timeout'],
  [(form: ProfileForm) => (form.name = ' '), 'name name'],
  [(form: ProfileForm) => (form.name = 'x'.repeat(61)), 'name nameLong'],
  [(form: ProfileForm) => (form.colour = 'red'), 'colour colour'],
  [(form: ProfileForm) => (form.letter = 'abc'), 'letter letter'],
  [(form: ProfileForm) => Object.assign(form, { mode: 'random', length: '0' }), 'chain.length length'],
  [(form: ProfileForm) => Object.assign(form, { mode: 'random', length: '2' }), 'chain.length lengthMost'],
  [
    (form: ProfileForm) => Object.assign(form, { dns: 'remote', resolver: 'dns.example' }),
    'dns.resolver resolver',
  ],
  [
    (form: ProfileForm) => Object.assign(form, { dns: 'remote', resolver: '2001:db8::1:' }),
    'dns.resolver resolver',
  ],
  [(form: ProfileForm) => (form.egress = 'a b'), 'egress egress'],
  [(form: ProfileForm) => (form.ports = '80, x'), 'hostAccess.loopbackPorts ports'],
  [(form: ProfileForm) => (form.policy = 'failover'), 'failure.profile failover'],
  [
    (form: ProfileForm) => Object.assign(form, { policy: 'failover', failover: 'gone' }),
    'failure.profile failoverGone',
  ],
];
test.each(mistakes)('field by field: %#', (change, word) => {
  expect(wordsFor(change)).toEqual([word]);
});

test.each(['192.0.2.53', '192.0.2.53:53', '2001:db8::1', '[2001:db8::1]:53'])(
  'the resolver %s is taken',
  (resolver) => {
    expect(wordsFor((form) => Object.assign(form, { dns: 'remote', resolver }))).toEqual([]);
  },
);

test('brackets of an address and the colons of a fingerprint are no mistake', () => {
  const colons = 'AB:'.repeat(32).slice(0, -1);
  const form = good();
  server({ kind: 'https', host: '[2001:db8::1]', fingerprint: colons })(form);
  expect(problemsOf(form, [])).toEqual([]);
  expect(profileOf(form).chain.servers[0]).toMatchObject({
    host: '2001:db8::1',
    fingerprint: 'ab'.repeat(32),
  });
});

test('a profile that leads back to this one cannot take over', () => {
  const back = { ...home, failure: { policy: 'failover' as const, profile: 'new-1' } };
  const change = (form: ProfileForm) => Object.assign(form, { policy: 'failover', failover: 'home' });
  expect(wordsFor(change, [back])).toEqual(['failure.profile failoverCycle']);
  expect(wordsFor(change, [home])).toEqual([]);
});

test('the fields that the engine names are those of the form, servers by their ids', () => {
  const [host, port] = [phrase('config.host-alone'), phrase('config.whole')];
  const said = (...all: Phrase[]) =>
    problemsSaid({ phrase: phrase('config.problems', { all: { clauses: all } }) }, formOf(full));
  expect(
    said(
      phrase('config.in-field', { field: 'chain.servers[1].host', why: host }),
      phrase('config.in-field', { field: 'hostAccess.loopbackPorts[0]', why: port }),
      phrase('config.more', { n: 2 }),
    ),
  ).toEqual([
    { path: 'chain.servers.b.host', said: host },
    { path: 'hostAccess.loopbackPorts', said: port },
  ]);
  expect(said(phrase('config.in-field', { field: 'profiles[0].name', why: host }))).toEqual([]);
  expect(problemsSaid({}, formOf(full))).toEqual([]);
});

test('servers move, and a new one has an id of its own', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
  expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
  const { servers } = formOf(full);
  expect(newServer(servers).id).toBe('server-3');
  expect(newServer(servers.slice(0, 1)).id).toBe('server-2');
});

test('the list is found by name or address, and sorted by what was measured', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id, name: `Name ${id}`, address: `socks5://${id}.example` }));
  expect(matching(rows, 'name B').map(({ id }) => id)).toEqual(['b']);
  expect(matching(rows, 'c.example').map(({ id }) => id)).toEqual(['c']);
  const sorted = byLatency(
    rows,
    new Map([
      ['c', 10],
      ['b', 20],
    ]),
  );
  expect(sorted.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

test('the command says what differs from the usual, and no password', () => {
  expect(addCommand(full)).toEqual([
    ...['culvert', 'profile', 'add', '--name=Work', '--colour=#3a6ea5', '--letter=W', '--chain=random'],
    ...['--chain-length=2', '--dns=remote', '--resolver=192.0.2.53:5353', '--udp=block', '--ipv6=block'],
    ...['--egress=wlan0', '--lan=direct', '--host-port=8080', '--host-port=5432', '--failover=home'],
    ...['--isolation=rootless', 'socks5://me@proxy.example:1080'],
  ]);
});
