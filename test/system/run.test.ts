/** `culvert run` in pipelines, scripts and sessions without a terminal: bytes, statuses, signals, what stays. */
import { createHash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet } from '../world/addresses.ts';
import { repository } from '../world/artefact.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { startSshd } from '../world/proxies/ssh.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let listener: string;
const user = 'culvert-a';
/** 1 MiB in which every value of a byte and every pair of neighbours occurs. */
const bytes = Buffer.from(
  Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * (1 + (index >> 8))) & 255),
);
const hash = createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('mirror');
  listener = join(world.dir, 'listener.py');
  copyFileSync(join(repository, 'test/system/listener.py'), listener);
  writeFileSync(join(world.dir, 'bytes'), bytes);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function allGone(): Promise<void> {
  await until('everything to be gone', () => world.leftovers().length === 0);
}

describe.each(isolations)('%s', (isolation) => {
  const lane = (...options: string[]) => ({ proxy: proxy.url, isolation, options: ['--quiet', ...options] });
  const start = () => `${product.culvert} run --quiet --isolation ${isolation} --proxy ${proxy.url} --`;
  const shell = (script: string, bash = 'bash') => world.run([bash, '-c', script], { user });

  test('stdin, stdout and stderr carry every byte, each its own', async () => {
    expect((await product.run(['sha256sum'], { ...lane(), stdin: bytes })).stdout).toBe(`${hash}  -\n`);
    const file = join(world.dir, 'bytes');
    for (const way of ['', '2>&1 >/dev/null']) {
      const inside = way === '' ? `cat ${file}; echo no >&2` : `echo no; cat ${file} >&2`;
      const script = `{ ${start()} sh -c '${inside}' ${way}; } 2>${way === '' ? '/dev/null' : '&1'} | sha256sum`;
      expect((await shell(script)).stdout).toBe(`${hash}  -\n`);
    }
  });

  test('a reader that has enough ends the writer as it does without Culvert', async () => {
    const statusOf = async (command: string) =>
      (await shell(`${command} | head -n 1; echo \${PIPESTATUS[*]}`)).stdout;
    expect(await statusOf(`${start()} yes`)).toBe(await statusOf('yes'));
    expect(await statusOf('yes')).toBe('y\n141 0\n');
    await allGone();
  });

  test.each([
    ['0', 'true'],
    ['3', 'sh -c "exit 3"'],
    ['255', 'sh -c "exit 255"'],
    ['126', '/etc/passwd'],
    ['127', 'no-such-command'],
  ])('the status is %s for %s', async (status, command) => {
    const { stdout, stderr } = await shell(`${start()} ${command}; echo $?`);
    expect(stdout).toBe(`${status}\n`);
    if (status === '126') expect(stderr).toMatch(/^culvert: the command cannot be run .*\/etc\/passwd/);
    if (status === '127') expect(stderr).toMatch(/^culvert: the command was not found .*no-such-command/);
  });

  test('a death by signal is one, to a shell and to a parent that looks closer', async () => {
    expect((await shell(`${start()} sh -c 'kill -TERM $$'; echo $?`)).stdout).toBe('143\n');
    for (const signal of ['SIGKILL', 'SIGSEGV', 'SIGUSR1'] as const) {
      const outcome = await product.run(['sh', '-c', `kill -${signal.slice(3)} $$`], lane());
      expect(outcome).toMatchObject({ code: null, signal });
    }
  });

  test('signals that are sent to culvert reach the app, once each', async () => {
    const signals = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT', 'SIGALRM'] as const;
    await using running = product.spawn(['python3', listener, ...signals], lane());
    await running.says(/ready no terminal/);
    for (const [index, signal] of signals.entries()) {
      running.kill(signal);
      await running.says(new RegExp(`${signal} ${index + 1} `));
    }
    running.write('last\n');
    await running.says(/heard last after 7/);
    running.child.stdin?.end();
    expect((await running.ended).code).toBe(0);
  });

  test('signals that the caller ignores are ignored by the app', async () => {
    const ignored = async (before: string) => {
      const { stdout } = await shell(`${before} ${start()} cat /proc/self/status`, 'sh');
      return BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)/m.exec(stdout)?.[1] ?? ''}`);
    };
    expect(await ignored('exec')).toBe(0n);
    expect(await ignored('exec nohup')).toBe(0x1n);
    expect(await ignored("trap '' INT USR1; exec")).toBe(0x202n);
  });

  test('under nohup a hang-up ends nothing', async () => {
    await using running = world.spawn(['nohup', ...start().split(' '), 'python3', listener], { user });
    await running.says(/ready/);
    running.kill('SIGHUP');
    running.write('still there\n');
    await running.says(/heard still there after 0/);
    running.child.stdin?.end();
    expect((await running.ended).code).toBe(0);
  });

  test('what the command leaves behind is waited for, and a signal ends it', async () => {
    await using running = product.spawn(['sh', '-c', 'sleep 1000 & echo $$ $!'], lane());
    const [, first, pid] = await running.says(/^([0-9]+) ([0-9]+)$/m);
    await until(
      'the end of the command',
      async () => (await world.run(['kill', '-0', first ?? ''])).code !== 0,
    );
    expect(running.hasEnded).toBe(false);
    expect((await world.run(['kill', '-0', pid ?? ''])).code).toBe(0);
    // Only once the app's own end has been noticed is a signal meant for the rest.
    await until('the end', () => {
      running.kill('SIGTERM');
      return running.hasEnded;
    });
    expect((await running.ended).code).toBe(0);
    expect((await world.run(['kill', '-0', pid ?? ''])).code).toBe(1);
  });

  test('with --no-wait it is ended', async () => {
    const outcome = await product.run(['sh', '-c', 'setsid sleep 1000 & exit 4'], lane('--no-wait'));
    expect(outcome.code).toBe(4);
    await allGone();
  });
});

test('what does not end when it is asked to is killed', async () => {
  const stubborn = 'setsid sh -c "trap \'\' TERM; echo ready; sleep 1000" & read line; exit 4';
  await using running = product.spawn(['sh', '-c', stubborn], { proxy: proxy.url, options: ['--no-wait'] });
  await running.says(/ready/);
  running.write('\n');
  expect((await running.ended).code).toBe(4);
  await allGone();
});

describe('a session without a desktop', () => {
  const fetch = () => `--proxy ${proxy.url} -- curl -sS http://example.test/`;

  test('over ssh, with and without a terminal', async () => {
    // An sshd of a user's cannot give a terminal to a group, so its file system does.
    const options = 'gid=5,mode=620,ptmxmode=666';
    await world.shell(`mount -t devpts -o ${options} culvert-world /dev/pts`, 'internet');
    const { port, key } = await startSshd(world, 2222);
    const known = [
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'LogLevel=ERROR',
    ];
    const ssh = ['ssh', '-F', 'none', '-i', key, '-p', String(port), ...known, `culvert-b@${internet.ssh4}`];
    const command = `env | grep -c -E '^(DISPLAY|WAYLAND|XDG|DBUS)'; CULVERT_NODE=${process.execPath} ${product.culvert} run --isolation rootless ${fetch()}`;
    expect(await world.must([...ssh, command], { user })).toBe(`0\n${greeting}`);
    const [first = '', ...rest] = ssh;
    const { stdout } = await world.run([first, '-tt', ...rest, `tty; ${command}`], { user });
    expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\n0\r\n/);
    expect(stdout).toContain(greeting.trim());
  });

  test('with nothing in the environment but HOME and PATH', async () => {
    const { home } = world.users[user];
    const bare = ['env', '-i', `HOME=${home}`, `PATH=/usr/bin:/bin:${join(process.execPath, '..')}`];
    const command = ['sh', '-c', `${product.culvert} run ${fetch()}; ${product.culvert} ps`];
    expect(await world.must([...bare, ...command], { user })).toContain(greeting);
  });

  test('where there is no runtime directory of the user at all', async () => {
    await world.shell('mount -t tmpfs culvert-world /run/user');
    try {
      const command = ['sh', '-c', `${product.culvert} run ${fetch()}`];
      expect(await world.must(command, { user, env: { XDG_RUNTIME_DIR: undefined } })).toBe(greeting);
    } finally {
      await world.shell('umount /run/user');
    }
  });
});
