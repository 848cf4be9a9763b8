/** What the window asks of its engine about rules, on a configuration with comments and a lane that runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inEnglish, phrase } from '#shared/phrase.ts';
import type { Rule } from '#shared/profile.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install } from './app-stage.ts';
import { LaneShell } from './lane-shell.ts';
import { fetchPage } from './policy-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let host: AppHost;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  proxy = await world.proxy('microsocks');
  await world.hostServers();
  product = Product.install(world);
  host = await AppHost.start(world, product);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  write([]);
});

const rule = (id: string, to: string, action: Rule['action'] = 'block'): Rule => ({
  ...{ id, match: { to: [to] }, action },
});

function write(rules: readonly Rule[]): void {
  const work = { id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } };
  writeConfig(world, { defaultProfile: 'work', profiles: [work], rules });
}

const file = () => join(world.users['culvert-a'].home, '.config/culvert/culvert.json');
const ids = async () => (await host.call('config.read', {})).config.rules.map(({ id }) => id);

describe('rules', () => {
  test('are saved, moved, removed and put back, and the rest of the file stays as it was written', async () => {
    write([rule('a', 'a.test'), rule('b', 'b.test')]);
    const text = readFileSync(file(), 'utf8').replace('"id": "b"', '// mine\n      "id": "b"');
    writeFileSync(file(), text);
    await host.call('rule.save', { rule: rule('c', 'c.test'), at: 0 });
    await host.call('rule.save', { rule: rule('d', 'd.test') });
    await host.call('rule.move', { rule: 'd', to: 1 });
    expect(await ids()).toEqual(['c', 'd', 'a', 'b']);
    expect(readFileSync(file(), 'utf8')).toContain('// mine\n      "id": "b"');
    const { undo } = await host.call('rule.remove', { rules: ['c', 'a'] });
    expect(await ids()).toEqual(['d', 'b']);
    await host.call('rule.restore', { undo });
    expect(await ids()).toEqual(['c', 'd', 'a', 'b']);
  });

  test('are not put back over what somebody else has changed since', async () => {
    write([rule('a', 'a.test')]);
    const { undo } = await host.call('rule.remove', { rules: ['a'] });
    await world.must([product.culvert, 'rule', 'add', 'block', '--to', 'x.test'], { user: 'culvert-a' });
    expect(await host.refused('rule.restore', { undo })).toEqual({ code: 'undo-outdated' });
    expect(await ids()).toEqual(['r1']);
  });

  test('that are wrong are refused with what is wrong, and nothing is written', async () => {
    const before = readFileSync(file(), 'utf8');
    const wrong: [Rule, RegExp][] = [
      [rule('a', '/(/'), /^a: to: “\/\(\/” is no regular expression/],
      [{ ...rule('a', 'a.test'), action: 'profile', profile: 'gone' }, /there is no profile “gone”/],
    ];
    for (const [given, why] of wrong) {
      const failure = await host.refused('rule.save', { rule: given });
      expect(failure).toMatchObject({
        code: 'rule-invalid',
        detail: expect.stringMatching(why) as string,
      });
      expect(inEnglish(failure.phrase ?? '')).toBe(failure.detail);
    }
    expect(await host.refused('rule.move', { rule: 'a', to: 0 })).toMatchObject({ code: 'rule-unknown' });
    expect(readFileSync(file(), 'utf8')).toBe(before);
  });

  test('have warnings, and free ids', async () => {
    write([rule('all', '*.test', 'direct'), rule('r7', 'a.test')]);
    expect(await host.call('rule.warnings', {})).toEqual({
      all: [{ kind: 'direct' }],
      r7: [{ kind: 'shadowed', by: ['all'] }],
    });
    const free = async (text: string) => (await host.call('rule.freeId', { text })).id;
    expect([await free(''), await free('Für ALL'), await free('all')]).toEqual(['r8', 'fur-all', 'all-2']);
  });

  test('are tried before they are saved: what they match, decide, and what is wrong', async () => {
    write([rule('a', 'a.test')]);
    const subject = { apps: ['curl'], profile: 'work', port: 443, protocol: 'tcp' as const };
    const preview = await host.call('rule.preview', {
      rule: { match: { to: ['*.test'] }, action: 'direct' },
      subjects: ['a.test', 'b.test', 'c.example'].map((name) => ({ ...subject, host: name })),
    });
    expect(preview).toEqual({
      problems: [],
      matches: [0, 1],
      decides: [1],
      warnings: [{ kind: 'direct' }],
    });
    const wrong = { match: { ports: ['nine'] }, action: 'block' as const };
    const detail = 'is no port or range within 1 to 65535';
    expect((await host.call('rule.preview', { rule: wrong, subjects: [] })).problems).toEqual([
      { field: 'ports', entry: 0, detail, phrase: phrase('rule.port') },
    ]);
  });
});

test('a destination is tested as the command line does it: which rule, which were near, which are off', async () => {
  install(world, 'browser', '/bin/sleep 600');
  const work = { id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } };
  writeConfig(world, {
    profiles: [work],
    apps: { sleep: 'work' },
    rules: [
      { ...rule('off', 'a.test'), isOff: true },
      { id: 'near', match: { to: ['a.test'], ports: ['80'] }, action: 'block' },
      { id: 'mine', match: { apps: ['sleep'], to: ['a.test'] }, action: 'direct' },
      { id: 'who', match: { to: ['who.test'], processes: ['ssh'] }, action: 'block' },
    ],
  });
  expect(await host.call('rule.test', { app: 'browser', destination: 'a.test:443' })).toEqual({
    ...{ profile: 'work', via: 'direct', rule: 'mine', off: ['off'] },
    met: [
      { field: 'apps', by: 'sleep' },
      { field: 'to', by: 'a.test' },
    ],
    near: [{ rule: 'near', failed: 'ports' }],
  });
  expect(
    await host.call('rule.test', { app: 'browser', destination: 'who.test:22', profile: 'none' }),
  ).toMatchObject({ failure: { code: 'blocked-by-profile' }, processRule: 'who' });
  expect(await host.refused('rule.test', { destination: 'a.test' })).toMatchObject({
    code: 'option-invalid',
  });
  expect(await host.refused('rule.test', { destination: 'a.test:1' })).toMatchObject({
    code: 'profile-missing',
  });
});

test('a rule that is saved while an app runs decides its next connections, and each of them is a hit', async () => {
  install(world, 'shell', '/bin/sleep 600');
  const { lanes } = await host.call('app.open', { app: 'shell' });
  expect((await host.lanes()).find(({ id }) => id === lanes[0])?.apps).toEqual(['shell', 'sleep']);
  await using lane = await LaneShell.open(product, { profile: 'work' });
  expect(await lane.must(fetchPage('a.example.test'))).toBe(greeting);
  await host.call('rule.save', { rule: rule('no-a', 'a.example.test') });
  const engine = lane.running.pid;
  await until(
    'the rule to be in force',
    async () => (await lane.run(fetchPage('a.example.test'))).code !== 0,
  );
  const hits = async () => (await hitsOf(engine))['no-a'];
  const before = await until('a hit', hits);
  expect(Math.abs(before.lastAt - Date.now())).toBeLessThan(20_000);
  await lane.run(fetchPage('a.example.test'));
  await lane.must(fetchPage('b.example.test'));
  expect((await hits())?.hits).toBe(before.hits + 1);
  // The window's own engine has counted nothing of another one's lane.
  expect(await host.call('rule.hits', {})).toEqual({});
});

/** Asked as the window asks every engine. */
async function hitsOf(engine: number | undefined): Promise<Record<string, { hits: number; lastAt: number }>> {
  const { uid } = world.users['culvert-a'];
  const script = `
import json, socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/user/${uid}/culvert/engine-${engine}.sock')
s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'rule.hits', 'params': {}}).encode() + bytes([10]))
print(s.makefile().readline())
`;
  const reply = await world.must(['/usr/bin/python3', '-c', script], { user: 'culvert-a' });
  return (JSON.parse(reply) as { result: Record<string, { hits: number; lastAt: number }> }).result;
}
