/** Kernels and systems that lack something: what still works then, and what is said when nothing does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { compile } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import { covered, withoutTproxy, written } from '../world/lacking.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { World } from '../world/world.ts';

let world: World;
let probe: string;
let product: Product;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('mirror');
  probe = world.share(compile('test/world/probe.c'));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Runs a command that must not start; answers what was said instead. */
async function refused(isolation: (typeof isolations)[number]): Promise<string> {
  const mark = join(world.users['culvert-a'].home, 'started');
  const { stdout, stderr, code } = await product.run(['touch', mark], { proxy: proxy.url, isolation });
  expect([stdout, code]).toEqual(['', 125]);
  expect((await world.run(['test', '-e', mark])).code).toBe(1);
  expect(world.leftovers()).toEqual([]);
  return stderr;
}

describe.each(isolations)('%s', (isolation) => {
  test.each(['ip', 'nft'])('a system without %s is told so, and which packages bring it', async (tool) => {
    await using _ = await covered(world, `/usr/sbin/${tool}`, '/dev/null');
    expect(await refused(isolation)).toMatch(
      new RegExp(`^culvert: a system program that Culvert needs is missing — .* \\(${tool}\\).* — install`),
    );
  });

  const script = (name: string, words: string) =>
    written(world, name, `#!/bin/sh\necho '${words}' >&2\nexit 2\n`, 0o755);
  const readOnly = async (path: string): Promise<AsyncDisposable> => {
    const cover = await covered(world, path, path);
    await world.shell(`mount -o remount,bind,ro ${path}`);
    return cover;
  };
  const native = (name: string) => join(product.dir, 'native', name);
  test.each([
    [
      'whose nft refuses the rules',
      () => covered(world, '/usr/sbin/nft', script('no-nft', 'Error: Operation not supported')),
      /^culvert: the rules of the isolated network could not be loaded — .*\(Error: Operation not supported\)/,
    ],
    [
      'whose ip refuses the link',
      () => covered(world, '/usr/sbin/ip', script('no-ip', 'RTNETLINK answers: Operation not supported')),
      /^culvert: the link of the isolated network could not be made — .*\(RTNETLINK answers: Operation not/,
    ],
    [
      'whose settings cannot be written, as in a container',
      () => readOnly('/proc/sys'),
      /^culvert: the isolated network could not be locked down — .*EROFS.* — in a container, make \/proc\/sys/,
    ],
    [
      'without the library',
      () => covered(world, native('libculvert.so'), '/dev/null'),
      /^culvert: Culvert's native part is missing — .* — build it with `build\/setup\.sh run`/,
    ],
    [
      'without the launcher',
      () => covered(world, native('culvert-launch'), '/dev/null'),
      /^culvert: Culvert's native part is missing — .*\/native\/culvert-launch\) — build it/,
    ],
  ] as const)('a system %s is told so', async (_name, change, words) => {
    await using _ = await change();
    expect(await refused(isolation)).toMatch(words);
  });

  test('a helper of another version is refused', async () => {
    const own = join(product.dir, 'helper.cjs');
    const text = readFileSync(own, 'utf8');
    const other = text.replaceAll('"0.1.0"', '"0.0.9"');
    expect(other).not.toBe(text);
    await using _ = await covered(world, own, written(world, 'helper.cjs', other));
    const said = await refused(isolation);
    expect(said).toMatch(/^culvert: the parts of Culvert do not fit together — .*0\.1\.0.*0\.0\.9.* — stop/);
  });

  test('a step that fails before the start means that nothing starts', async () => {
    const long = written(world, 'nsswitch.conf', '# too long\n'.repeat(10_000));
    await using _ = await covered(world, '/etc/nsswitch.conf', long);
    expect(await refused(isolation)).toMatch(
      /^culvert: the app did not start at “resolver” — .*nothing was started \(EFBIG\) — /,
    );
  });

  describe('without nft tproxy', () => {
    const user = 'culvert-a';
    let cover: AsyncDisposable;

    beforeAll(async () => {
      cover = await withoutTproxy(world);
    });
    afterAll(async () => {
      await cover[Symbol.asyncDispose]();
    });

    test.each([
      ['a name', 'http://example.test/'],
      ['an IPv4 address', `http://${internet.web4}/`],
      ['an IPv6 address', `http://[${internet.web6}]/`],
    ])('TCP to %s goes through the proxy', async (_name, url) => {
      await using capture = await world.capture();
      expect(await product.must(['curl', '-sS', url], { proxy: proxy.url, isolation })).toBe(greeting);
      expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    });

    test('names are answered whoever is asked, and other UDP is refused at once', async () => {
      await using capture = await world.capture();
      const script = [
        'getent ahostsv4 example.test | head -n 1',
        `dig +short +tries=1 @8.8.8.8 example.test`,
        `dig +short +tries=1 @2001:4860:4860::8888 example.test`,
        `dig +short +tries=1 @127.0.0.53 example.test`,
        `dig +short +tries=1 +tcp @8.8.8.8 example.test`,
        `${probe} udp ${internet.web4} ${ports.echo}`,
        `${probe} udp ${internet.web6} ${ports.echo}`,
      ].join('; ');
      const said = await product.must(['sh', '-c', script], { proxy: proxy.url, isolation });
      const lines = said.trim().split('\n');
      for (const line of lines.slice(0, 5)) expect(line).toMatch(/^198\.1[89]\./);
      for (const line of lines.slice(5)) expect(line).toMatch(/^E[A-Z]+ [0-9]{1,2}(\.|$)/);
      expect(lines).toHaveLength(7);
      expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    });

    test('the lane says what it cannot do', async () => {
      await using running = product.spawn(['sh', '-c', 'echo started; read line'], {
        proxy: proxy.url,
        isolation,
      });
      await running.says(/started/);
      const listed = JSON.parse(await world.must([product.culvert, 'ps', '--json'], { user })) as {
        lanes: { interception: string; notes: string[] }[];
      };
      expect(listed.lanes).toMatchObject([
        { interception: 'redirect', notes: [expect.stringMatching(/no nft tproxy.*UDP is refused/)] },
      ]);
      expect(running.stderr).toMatch(/no nft tproxy/);
      running.child.stdin?.end('\n');
      expect((await running.ended).code).toBe(0);
    });
  });
});

test('where user namespaces are forbidden the switch is named', async () => {
  const script =
    'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" run --isolation rootless --proxy "$1" -- true';
  const inside = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, product.culvert, proxy.url];
  const { stderr, code } = await world.run(inside, { user: 'culvert-a' });
  expect(code).toBe(125);
  expect(stderr).toMatch(
    /^culvert: an isolated network without a password is not possible — .*user\.max_user_namespaces is 0; to allow it: sudo sysctl user\.max_user_namespaces=.* — turn/,
  );
  expect(world.leftovers()).toEqual([]);
});

test('where network namespaces are forbidden that is said', async () => {
  const script =
    'echo 0 > /proc/sys/user/max_net_namespaces; exec "$0" run --isolation rootless --proxy "$1" -- true';
  const inside = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, product.culvert, proxy.url];
  const { stderr, code } = await world.run(inside, { user: 'culvert-a' });
  expect(code).toBe(125);
  expect(stderr).toMatch(
    /^culvert: the isolated network could not be created .*\(ENOSPC\) — in a container, allow/,
  );
  expect(world.leftovers()).toEqual([]);
});

test('a directory for sockets that is only a link to one is not used', async () => {
  const own = join(world.users['culvert-a'].home, 'runtime');
  await world.must(['sh', '-c', `mkdir -m 700 ${own}; ln -s /tmp ${own}/culvert`], { user: 'culvert-a' });
  const env = { XDG_RUNTIME_DIR: own };
  const { stderr, code } = await product.run(['true'], { proxy: proxy.url, env });
  expect(code).toBe(125);
  expect(stderr).toMatch(
    /^culvert: Culvert's directory for sockets cannot be used — .* — remove it, or set XDG_/,
  );
});

test('root may go without the privileges of root: the app is root and has no capability', async () => {
  const script = 'id -u; grep ^Cap /proc/self/status; curl -sS http://example.test/';
  const command = ['run', '--isolation', 'rootless', '--proxy', proxy.url, '--', 'sh', '-c', script];
  const said = await world.must([product.culvert, ...command]);
  expect(said).toMatch(/^0\n(?:Cap[A-Za-z]+:\t0+\n){5}/);
  expect(said.endsWith(greeting)).toBe(true);
});
