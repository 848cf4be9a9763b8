/** Kernels and systems that lack something: what still works then, and what is said when nothing does. */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { compile } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
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

/** Another file in the place of one of the host's, until it is disposed. */
async function covered(path: string, by: string): Promise<AsyncDisposable> {
  await world.shell(`mount --bind ${by} ${path}`);
  return {
    [Symbol.asyncDispose]: async () => {
      await world.shell(`umount ${path}`);
    },
  };
}

/** A file of root's that everybody can read. */
function written(name: string, text: string, mode = 0o644): string {
  const path = join(world.dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

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
    await using _ = await covered(`/usr/sbin/${tool}`, '/dev/null');
    expect(await refused(isolation)).toMatch(
      new RegExp(`^culvert: a system program that Culvert needs is missing — .* \\(${tool}\\).* — install`),
    );
  });

  test('a helper of another version is refused', async () => {
    const own = join(product.dir, 'helper.cjs');
    const text = readFileSync(own, 'utf8');
    const other = text.replaceAll('"0.1.0"', '"0.0.9"');
    expect(other).not.toBe(text);
    await using _ = await covered(own, written('helper.cjs', other));
    const said = await refused(isolation);
    expect(said).toMatch(/^culvert: the parts of Culvert do not fit together — .*0\.1\.0.*0\.0\.9.* — stop/);
  });

  test('a step that fails before the start means that nothing starts', async () => {
    const long = written('nsswitch.conf', '# too long\n'.repeat(10_000));
    await using _ = await covered('/etc/nsswitch.conf', long);
    expect(await refused(isolation)).toMatch(
      /^culvert: the app did not start at “resolver” — .*nothing was started \(EFBIG\) — /,
    );
  });

  describe('without nft tproxy', () => {
    const user = 'culvert-a';
    let cover: AsyncDisposable;

    beforeAll(async () => {
      const real = join(world.dir, 'nft');
      copyFileSync('/usr/sbin/nft', real);
      chmodSync(real, 0o755);
      const wrapper = `#!/bin/sh
rules=$(cat)
case $rules in *tproxy*) echo 'Error: Could not process rule: No such file or directory' >&2; exit 1 ;; esac
printf '%s\\n' "$rules" | ${real} "$@"
`;
      cover = await covered('/usr/sbin/nft', written('without-tproxy', wrapper, 0o755));
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

test('root may go without the privileges of root: the app is root and has no capability', async () => {
  const script = 'id -u; grep ^Cap /proc/self/status; curl -sS http://example.test/';
  const command = ['run', '--isolation', 'rootless', '--proxy', proxy.url, '--', 'sh', '-c', script];
  const said = await world.must([product.culvert, ...command]);
  expect(said).toMatch(/^0\n(?:Cap[A-Za-z]+:\t0+\n){5}/);
  expect(said.endsWith(greeting)).toBe(true);
});
