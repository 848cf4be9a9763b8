/**
 * Profiles, rules and bindings as an ordinary user types them, each seen at the other end: in the words of real
 * proxies, in what the servers got and in the packets of the host.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';

const user = 'culvert-a';

let world: World;
let product: Product;
/** Asks for a sign-in. */
let work: Proxy;
let home: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  // Its users are the system's, so that it has no password in its own arguments.
  work = await world.proxy('dante', { signIn: true });
  home = await world.proxy('microsocks');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const run = (args: readonly string[], options: RunOptions = {}) =>
  world.run([product.culvert, ...args], { user, ...options });
const must = (args: readonly string[], options: RunOptions = {}) =>
  world.must([product.culvert, ...args], { user, ...options });
const configFile = (name = 'culvert.json') => join(world.users[user].home, '.config', 'culvert', name);
const bare = ({ address, port }: Proxy) => `socks5://${address}:${port}`;
const fetch = (host: string, ...options: string[]) =>
  run(['run', ...options, '--', 'curl', '-sS', '--max-time', '10', `http://${host}/`]);

/** The same for every test: two profiles, of which the one with the password is the default. */
beforeEach(async () => {
  await world.must(['sh', '-c', 'rm -rf ~/.config/culvert'], { user });
  await must(['profile', 'add', '--name', 'Work', '--default', '--password-stdin', signInUrl()], {
    stdin: `${work.password}\n`,
  });
  await must(['profile', 'add', '--name', 'Home', bare(home)]);
});
const signInUrl = () => `socks5://${work.user}@${work.address}:${work.port}`;

async function wentThroughHome(host: string): Promise<void> {
  // microsocks says "client[4] 192.0.2.10: connected to host:80".
  await until(`the proxy to be asked for ${host}`, () =>
    home.process.stderr.includes(`connected to ${host}:80`),
  );
}

describe('a profile that was typed', () => {
  test('carries a command, and nothing goes beside its proxy', async () => {
    await using capture = await world.capture();
    expect(await fetch('typed.example.test', '-p', 'work')).toMatchObject({ stdout: greeting, code: 0 });
    expect(await fetch('typed.example.test', '-p', 'Home')).toMatchObject({ stdout: greeting, code: 0 });
    await wentThroughHome('typed.example.test');
    expect(describePackets(await capture.leaks([...work.exceptions, ...home.exceptions]))).toBe('');
  });

  test('is told with its id alone on stdout, and where its password is kept beside it', async () => {
    const { stdout, stderr } = await run(['profile', 'add', '--name', 'Third one', signInUrl()], {
      env: { CULVERT_PASSWORD: work.password },
    });
    expect(stdout).toBe('third-one\n');
    expect(stderr).toMatch(
      /^culvert: the password cannot be stored safely — .* a file that only you can read\n$/,
    );
    expect(await fetch('third.example.test', '-p', 'third-one')).toMatchObject({ code: 0 });
  });

  test('gets another password and another server, and the next command has them', async () => {
    await must(['profile', 'edit', 'work', '--password-stdin'], { stdin: 'not this one\n' });
    expect((await fetch('wrong.example.test')).code).not.toBe(0);
    await must(['profile', 'edit', 'work', '--password-stdin'], { stdin: `${work.password}\n` });
    expect((await fetch('right.example.test')).stdout).toBe(greeting);
    // Through both: the chain ends at the second one.
    await must(['profile', 'edit', 'work', '--add-server', bare(home)]);
    expect((await fetch('chained.example.test')).stdout).toBe(greeting);
    await wentThroughHome('chained.example.test');
    await must(['profile', 'edit', 'work', '--remove-server', 's1']);
    expect(readFileSync(configFile('secrets.json'), 'utf8')).not.toContain(work.password);
    expect((await fetch('left.example.test')).stdout).toBe(greeting);
  });

  test('gets another id with its password and everything that names it', async () => {
    await must(['rule', 'add', 'block', '--profile', 'work', '--to', 'blocked.test']);
    await must(['app', 'bind', 'curl', 'work']);
    expect(await must(['profile', 'edit', 'work', '--rename', 'office', '--name', 'Office'])).toBe(
      'office\n',
    );
    expect(await fetch('renamed.example.test')).toMatchObject({ stdout: greeting, code: 0 });
    expect(await must(['rule', 'ls'])).toContain('with profile office');
    expect(readFileSync(configFile('secrets.json'), 'utf8')).not.toContain('work/');
  });

  test('that is in use goes only by force, and its password with it', async () => {
    const refused = await run(['profile', 'rm', 'work']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/not deleted — .*work: default profile.*--force/);
    expect((await run(['profile', 'rm', 'work', '--force'])).code).toBe(0);
    expect(readFileSync(configFile('secrets.json'), 'utf8')).not.toContain(work.password);
    expect((await run(['profile', 'show', 'work'])).code).toBe(3);
  });
});

test('the default, and a binding before it, decide where a command goes that names none', async () => {
  expect(await fetch('by-default.example.test')).toMatchObject({ stdout: greeting, code: 0 });
  expect(home.process.stderr).not.toContain('by-default.example.test');
  await must(['profile', 'default', 'home']);
  expect(await must(['profile', 'default'])).toBe('home\n');
  expect(await fetch('changed.example.test')).toMatchObject({ stdout: greeting, code: 0 });
  await wentThroughHome('changed.example.test');

  await must(['profile', 'default', 'work']);
  expect(await must(['app', 'bind', 'curl', 'home'])).toBe('curl\n');
  expect(await must(['app', 'ls', 'curl'])).toMatch(/^curl\tcurl\thome\tprogram$/m);
  expect(await fetch('bound.example.test')).toMatchObject({ stdout: greeting, code: 0 });
  await wentThroughHome('bound.example.test');
  await must(['app', 'unbind', 'curl']);
  expect(await fetch('unbound.example.test')).toMatchObject({ stdout: greeting, code: 0 });
  expect(home.process.stderr).not.toContain('unbound.example.test');
});

test('rules decide about names and addresses, and their test says the same before', async () => {
  const direct = '198.51.100.80';
  await must(['rule', 'add', 'direct', '--to', `${direct}/32`, '--port', '80']);
  await must(['rule', 'add', 'block', '--to', '.blocked.test']);
  await must(['rule', 'add', 'profile:home', '--app', 'curl', '--to', '*.home.test', '--first']);
  await using capture = await world.capture();

  expect((await fetch(direct)).stdout).toBe(greeting);
  expect(await capture.packets(({ destination }) => destination === direct)).not.toEqual([]);
  expect((await fetch('deep.blocked.test')).code).not.toBe(0);
  expect((await fetch('x.home.test')).stdout).toBe(greeting);
  await wentThroughHome('x.home.test');
  expect((await fetch('elsewhere.test')).stdout).toBe(greeting);
  // An address that no rule names: through the proxy, as everything else.
  expect((await fetch('203.0.113.7')).stdout).toBe(greeting);
  const allowed = [...work.exceptions, ...home.exceptions, { address: direct, port: 80 }];
  expect(describePackets(await capture.leaks(allowed))).toBe('');

  const said = async (destination: string) =>
    (await must(['rule', 'test', 'curl', destination])).split('\n')[0]?.split(' → ')[1];
  expect(await said(`${direct}:80`)).toBe('direct');
  expect(await said('deep.blocked.test:80')).toBe('blocked');
  expect(await said('x.home.test:80')).toBe(bare(home));
  expect(await said('elsewhere.test:80')).toBe(bare(work));
  expect(await said(`${direct}:443`)).toBe(bare(work));
});

describe('an import', () => {
  const chainText = () =>
    `# as it is\nstrict_chain\nproxy_dns\n[ProxyList]\nsocks5 ${home.address} ${home.port}\n`;

  test('of a proxychains.conf runs commands, as the file itself does unchanged', async () => {
    const file = join(world.dir, 'proxychains.conf');
    writeFileSync(file, chainText());
    await using capture = await world.capture();
    expect((await fetch('by-file.example.test', '-f', file)).stdout).toBe(greeting);
    await wentThroughHome('by-file.example.test');

    const dry = await run(['profile', 'import', '--dry-run', file]);
    expect(dry).toMatchObject({ code: 0 });
    expect(await must(['profile', 'ls'])).not.toContain('proxychains');
    const { stdout, stderr } = await run(['profile', 'import', file]);
    expect(stdout).toContain('taken');
    expect(stderr).toMatch(/^culvert: imported 1 profile \(proxychains\)/m);
    expect((await fetch('imported.example.test', '-p', 'proxychains')).stdout).toBe(greeting);
    await wentThroughHome('imported.example.test');
    // Again: it is another one, and the first stays.
    expect((await run(['profile', 'import', '-'], { stdin: chainText() })).code).toBe(0);
    expect(describePackets(await capture.leaks(home.exceptions))).toBe('');
  });

  test('of what another user has exported works there, with its passwords where these were asked for', async () => {
    await must(['rule', 'add', 'block', '--profile', 'work', '--to', 'blocked.test']);
    const text = await must(['profile', 'export', '--json', '--with-passwords']);
    const other = { user: 'culvert-b' } as const;
    await world.must(['sh', '-c', 'rm -rf ~/.config/culvert'], other);
    const { code, stdout, stderr } = await run(['profile', 'import', '--json', '-'], {
      ...other,
      stdin: text,
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, rules: ['r1'], passwords: 1 });
    expect(stdout + stderr).not.toContain(work.password);
    const fetched = await run(['run', '-p', 'work', '--', 'curl', '-sS', 'http://b.example.test/'], other);
    expect(fetched.stdout).toBe(greeting);
    expect(await must(['profile', 'export', '--json', '--with-passwords'], other)).toBe(text);
  });

  test('of nothing that can be understood says so line by line, and ends with 2', async () => {
    const { code, stdout, stderr } = await run(['profile', 'import', '-'], { stdin: 'vmess://abc\nhello\n' });
    expect(code).toBe(2);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^culvert: nothing was imported — .*line 1/);
  });

  test('of addresses makes rules for the profile that is named', async () => {
    const list = `${internet.web4}\n# a comment\n10.0.0.0/8\n`;
    await must(['profile', 'import', '-', '--as', 'direct-list', '--for', 'work'], { stdin: list });
    expect((await must(['rule', 'test', 'curl', '10.1.2.3:80'])).split('\n')[0]).toMatch(/ → direct$/);
    expect((await run(['profile', 'import', '-', '--as', 'direct-list'], { stdin: list })).code).toBe(2);
  });

  test.each([
    [
      'direct-list',
      { direct: ['203.0.113.9', '198.51.100.7'], proxied: ['203.0.113.10', 'name.example.test'] },
    ],
    [
      'proxy-list',
      { direct: ['203.0.113.10', 'name.example.test'], proxied: ['203.0.113.9', '198.51.100.7'] },
    ],
  ])('of addresses as a %s sends each the way that the list says', async (kind, { direct, proxied }) => {
    const list = '203.0.113.9\n198.51.100.0/28\n';
    const before = home.process.stderr.length;
    await must(['profile', 'import', '-', '--as', kind, '--for', 'home'], { stdin: list });
    await using capture = await world.capture();
    for (const host of [...direct, ...proxied])
      expect([host, (await fetch(host, '-p', 'home')).stdout]).toEqual([host, greeting]);
    const said = (host: string) => home.process.stderr.slice(before).includes(`connected to ${host}:80`);
    for (const host of proxied) await until(`the proxy to be asked for ${host}`, () => said(host));
    expect(direct.filter(said)).toEqual([]);
    // What went out directly went to what the list says, or to what the name stands for, and was asked for here.
    const bare = (await capture.leaks(home.exceptions)).filter(
      ({ sent, destinationPort }) => sent && destinationPort === ports.http,
    );
    const there = direct.map((host) => (host === 'name.example.test' ? internet.web4 : host));
    const met = bare.map(({ destination }) => (destination === internet.web6 ? internet.web4 : destination));
    expect([...new Set(met)].toSorted()).toEqual(there.toSorted());
  });
});

test('a configuration that was broken by hand is told with file, line and field, and nothing else changes', async () => {
  const good = readFileSync(configFile(), 'utf8');
  const secrets = readFileSync(configFile('secrets.json'), 'utf8');
  const broken = good.replace('"udp": "allow"', '"udp": "perhaps"');
  expect(broken).not.toBe(good);
  await world.must(['sh', '-c', `cat > ${configFile()}`], { user, stdin: broken });
  const line = broken.slice(0, broken.indexOf('perhaps')).split('\n').length;
  for (const verb of [
    ['profile', 'ls'],
    ['rule', 'add', 'block', '--to', 'x.test'],
    ['app', 'ls'],
  ]) {
    const { code, stdout, stderr } = await run(verb);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`culvert\\.json:${line}:\\d+ field profiles\\[0\\]\\.udp: `));
  }
  expect((await run(['run', '-p', 'work', '--', 'true'])).code).toBe(125);
  expect((await fetch('still.example.test', '--proxy', bare(home))).stdout).toBe(greeting);
  expect(readFileSync(configFile(), 'utf8')).toBe(broken);
  expect(readFileSync(configFile('culvert.json.good'), 'utf8')).toBe(good);
  expect(readFileSync(configFile('secrets.json'), 'utf8')).toBe(secrets);
});
