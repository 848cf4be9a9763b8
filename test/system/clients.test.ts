/** Any program, any SOCKS5 server, with and without a password: it goes through the proxy, and only there. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { compile } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import { isolations, Product } from '../world/product.ts';
import type { ProxyKind } from '../world/proxies.ts';
import { startSshd } from '../world/proxies/ssh.ts';
import { greeting } from '../world/servers/web.ts';
import { World } from '../world/world.ts';

const page = 'http://example.test/';
const raw = compile('test/system/raw-client.c', [
  '-static',
  '-nostdlib',
  '-ffreestanding',
  '-fno-stack-protector',
]);
const probe = compile('test/world/probe.c');

const python = `
import urllib.request
print(urllib.request.urlopen('${page}').read().decode(), end='')
`;
const java = `
public class Fetch {
  public static void main(String[] args) throws Exception {
    System.out.write(new java.net.URL("${page}").openStream().readAllBytes());
    System.out.flush();
  }
}
`;

let world: World;
let product: Product;
let classes: string;
let sshKey: string;
const sshPort = 2222;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  classes = join(world.dir, 'java');
  mkdirSync(classes);
  writeFileSync(join(classes, 'Fetch.java'), java);
  makeRepository(join(world.www, 'project.git'));
  const { key } = await startSshd(world, sshPort);
  sshKey = key;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A bare repository as a plain web server can serve it (git-http-backend's "dumb" protocol). */
function makeRepository(path: string): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args], { stdio: 'pipe' });
  const work = join(world.dir, 'work');
  git('init', '-q', '-b', 'main', work);
  writeFileSync(join(work, 'file'), greeting);
  git('-C', work, 'add', 'file');
  git('-C', work, 'commit', '-q', '-m', 'one');
  git('clone', '-q', '--bare', work, path);
  git('-C', path, 'update-server-info');
}

/** Each program, how it is asked for the known page, and where its answer is. */
const programs: Record<string, () => readonly string[]> = {
  curl: () => ['curl', '-sS', page],
  'curl over TLS': () => ['curl', '-sS', '--cacert', world.certificates.authority, 'https://example.test/'],
  wget: () => ['wget', '-q', '-O', '-', page],
  'busybox wget, a static program': () => ['busybox', 'wget', '-q', '-O', '-', page],
  'git clone': () => [
    'sh',
    '-c',
    'd=$(mktemp -d) && git clone -q http://example.test/files/project.git $d/p && cat $d/p/file && rm -r $d',
  ],
  ssh: () => [
    ...[
      'ssh',
      '-F',
      'none',
      '-i',
      sshKey,
      '-p',
      String(sshPort),
      '-o',
      'BatchMode=yes',
      '-o',
      'LogLevel=ERROR',
    ],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...[`culvert-b@${internet.ssh4}`, `printf %s '${greeting}'`],
  ],
  'a program of bare system calls': () => [raw],
  Python: () => ['/usr/bin/python3', '-c', python],
  Java: () => ['java', '-cp', classes, join(classes, 'Fetch.java')],
};

const proxies: [ProxyKind, boolean][] = [
  ['microsocks', false],
  ['dante', true],
  ['ssh', false],
];

describe.each(isolations)('%s', (isolation) => {
  describe.each(proxies)('through %s (sign-in: %s)', (kind, signIn) => {
    test.each(Object.keys(programs))('%s', async (name) => {
      await using proxy = await world.proxy(kind, { signIn });
      await using capture = await world.capture();
      await world.internet.forget();
      const command = programs[name]?.() ?? [];
      const outcome = await product.run(command, { proxy: proxy.url, isolation });
      expect(outcome).toMatchObject({ stdout: greeting, code: 0 });
      expect(await capture.packets()).not.toEqual([]);
      expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
      const peers = (await world.internet.seen()).map(({ peer }) => peer);
      expect(peers).not.toContain('192.0.2.10');
    });
  });

  test('a connection beside the proxy is not possible: a bare address reaches the proxy as well', async () => {
    await using proxy = await world.proxy('microsocks');
    await using capture = await world.capture();
    const said = await product.must([probe, 'tcp', internet.web4, String(ports.http)], {
      proxy: proxy.url,
      isolation,
    });
    expect(said).toMatch(/^connected/);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    // The positive control: the same probe outside of a lane is seen.
    await world.must([probe, 'tcp', internet.web4, String(ports.http)]);
    expect(await capture.leaks(proxy.exceptions)).not.toEqual([]);
  });
});

test('the home directory is where the app’s files are', async () => {
  await using proxy = await world.proxy('microsocks');
  const { uid, gid, home } = world.users['culvert-a'];
  await product.must(['sh', '-c', 'echo kept > kept'], { proxy: proxy.url });
  chownSync(join(home, 'kept'), uid, gid);
  expect(await world.must(['cat', 'kept'], { user: 'culvert-a' })).toBe('kept\n');
});
