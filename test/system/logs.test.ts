/** What is written down of real lanes, what is not, and `culvert logs`. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { LaneShell } from './lane-shell.ts';
import { serverOf, writeConfig } from './settings.ts';

const canary = 'canary-55d1';

let world: World;
let product: Product;
let proxy: Proxy;
let state: string;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks', { signIn: true });
  state = join(world.users['culvert-a'].home, '.local/state/culvert');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.must(['rm', '-rf', state]);
});

const as = { user: 'culvert-a' } as const;
const logs = (...args: string[]) => world.must([product.culvert, 'logs', ...args], as);

type Entry = Readonly<Record<string, string | number>>;
const entries = async (...args: string[]): Promise<Entry[]> =>
  (await logs('--json', ...args))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);

/** A fetch through the proxy with a wrong password, which then is in argv and nowhere else. */
const refused = (env: Record<string, string> = {}) => {
  const url = proxy.url.replace(/\/\/.*@/, `//${canary}-user:${canary}@`);
  return product.run(['curl', '-s', '--max-time', '5', `http://secret.example.test/${canary}`], {
    proxy: url,
    env,
  });
};

test('a run is told from beginning to end, without its destination, its arguments and its password', async () => {
  await refused();
  const told = await entries();
  expect(told.map(({ event }) => event)).toEqual([
    ...['engine.started', 'helper.starting', 'helper.ready', 'lane.opened', 'chain.unreachable'],
    ...['lane.ended', 'engine.ended'],
  ]);
  expect(told.find(({ event }) => event === 'lane.opened')).toMatchObject({
    ...{ app: 'curl', profile: 'command line', mode: 'rootless' },
  });
  expect(told.find(({ event }) => event === 'chain.unreachable')?.['code']).toBe('proxy-sign-in-refused');
  expect(told.find(({ event }) => event === 'lane.ended')?.['code']).toBeGreaterThan(0);
  const all = await world.must(['cat', join(state, 'engine.log')]);
  expect(all).not.toMatch(/canary|secret|example|192\.0\.2|198\.51|203\.0/);
  expect(statSync(join(state, 'engine.log')).mode & 0o777).toBe(0o600);
  expect(statSync(state).mode & 0o777).toBe(0o700);
});

test('CULVERT_LOG=debug adds where it went, but no password; off writes nothing', async () => {
  await refused({ CULVERT_LOG: 'debug' });
  const flow = (await entries()).find(({ event }) => event === 'flow.ended');
  expect(flow).toMatchObject({ host: 'secret.example.test', port: 80, code: 'proxy-sign-in-refused' });
  expect(await world.must(['sh', '-c', `cat ${state}/engine.log*`])).not.toContain(canary);
  await world.must(['rm', '-rf', state]);
  await refused({ CULVERT_LOG: 'off' });
  expect((await world.run(['ls', join(state, 'engine.log')])).code).not.toBe(0);
});

test('a chain that is lost and comes back, a switch, and what a lane is called are told while they happen', async () => {
  await using open = await world.proxy('microsocks');
  const one = { id: 'one', name: 'One', chain: { servers: [serverOf(open)] } };
  writeConfig(world, { profiles: [one, { ...one, id: 'two', name: 'Two' }] });
  const following = world.spawn([product.culvert, 'logs', '--follow'], as);
  await using lane = await LaneShell.open(product, { profile: 'one' });
  await following.says(/lane\.opened {2}lane=\S+ app=sh profile=one mode=rootless\n/);
  const id = /lane=(\S+)/.exec(following.stdout)?.[1] ?? '';
  await world.must([product.culvert, 'switch', id, 'two'], as);
  await following.says(/lane\.switched .*from=one to=two/);
  await open.kill();
  await lane.run('curl -s --max-time 5 http://a.example.test/');
  await following.says(/chain\.unreachable .*code=proxy-unreachable/);
  const own = await entries(id);
  expect(own.map(({ event }) => event)).toEqual(['lane.opened', 'lane.switched', 'chain.unreachable']);
  expect(await logs(id, '-n', '1')).toMatch(/chain\.unreachable/);
  await following.end();
});

test('the output of an app that has a log is shown, and followed', async () => {
  await world.must(['mkdir', '-p', join(state, 'lanes')], as);
  const log = join(state, 'lanes', '4194304-1.log');
  await world.must(['sh', '-c', `printf 'one\\ntwo\\nthree\\n' > ${log}`], as);
  expect(await logs('4194304-1')).toBe('one\ntwo\nthree\n');
  expect(await logs('4194304-1', '-n', '2')).toBe('two\nthree\n');
  expect(await logs('4194304-1', '--json', '-n', '1')).toBe('{"lane":"4194304-1","line":"three"}\n');
  const following = world.spawn([product.culvert, 'logs', '-f', '-n', '0', '4194304-1'], as);
  await until(
    'it to follow',
    async () => {
      await world.must(['sh', '-c', `echo more >> ${log}`], as);
      return following.stdout.includes('more\n');
    },
    10_000,
  );
  expect(following.stdout).not.toContain('three');
  await following.end();
  for (const unknown of ['4194304-2', '../../x', 'one'])
    expect((await world.run([product.culvert, 'logs', unknown], as)).code).toBe(3);
});

test('lanes run where nothing can be written down', async () => {
  const { uid } = world.users['culvert-a'];
  await world.must(['mkdir', '-p', state]);
  await world.must(['chown', '-R', '0:0', join(world.users['culvert-a'].home, '.local')]);
  const outcome = await refused();
  expect(outcome.stderr).not.toMatch(/EACCES|log/);
  expect((await world.run(['ls', join(state, 'engine.log')])).code).not.toBe(0);
  await world.must(['chown', '-R', `${uid}:${uid}`, join(world.users['culvert-a'].home, '.local')]);
});
