/** Two users on one machine, an engine that lies to its helper, and who the app is when it runs. */
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { team } from '../world/users.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

interface Listed {
  readonly id: string;
  readonly pid: number;
}

async function listed(user: 'culvert-a' | 'culvert-b'): Promise<Listed[]> {
  const text = await world.must([product.culvert, 'ps', '--json'], { user });
  return (JSON.parse(text) as { lanes: Listed[] }).lanes;
}

describe.each(isolations)('two users at once (%s)', (isolation) => {
  test('neither sees, stops, joins or signals the other’s lanes', async () => {
    await using running = product.spawn(['sh', '-c', 'echo started; read line'], {
      proxy: proxy.url,
      isolation,
    });
    await running.says(/started/);
    await using other = product.spawn(['sh', '-c', 'echo started; read line'], {
      proxy: proxy.url,
      user: 'culvert-b',
    });
    await other.says(/started/);

    const [own, theirs] = [await listed('culvert-a'), await listed('culvert-b')];
    expect([own.length, theirs.length]).toEqual([1, 1]);
    expect(own[0]?.id).not.toBe(theirs[0]?.id);

    const lane = own[0]?.id ?? '';
    const pid = String(own[0]?.pid);
    const as = { user: 'culvert-b' } as const;
    expect((await world.run([product.culvert, 'stop', lane], as)).code).toBe(3);
    expect((await world.run(['nsenter', '-t', pid, '-n', 'true'], as)).code).not.toBe(0);
    expect((await world.run(['kill', pid], as)).code).not.toBe(0);
    const { uid } = world.users['culvert-a'];
    const socket = `/run/user/${uid}/culvert/engine-${running.pid}.sock`;
    const { code } = await world.run(
      ['/usr/bin/python3', '-c', `import socket; socket.socket(socket.AF_UNIX).connect('${socket}')`],
      as,
    );
    expect(code).not.toBe(0);

    // The positive control: the owner can stop it.
    expect((await world.run([product.culvert, 'stop', lane], { user: 'culvert-a' })).code).toBe(0);
    await running.ended;
    expect(await listed('culvert-b')).toHaveLength(1);
    other.child.stdin?.end('\n');
    await other.ended;
  });

  test('an app on a lane cannot talk to its engine, by its path or through another process’s', async () => {
    const { uid } = world.users['culvert-a'];
    const script = `
import os, socket, sys
print(sorted(os.listdir('/run/user/${uid}/culvert')) if os.access('/run/user/${uid}/culvert', os.R_OK) else 'masked')
`;
    expect(await product.must(['/usr/bin/python3', '-c', script], { proxy: proxy.url, isolation })).toBe(
      'masked\n',
    );
    const outcome = await product.run([product.culvert, 'ps'], { proxy: proxy.url, isolation });
    expect(outcome.code).not.toBe(0);
    const nested = await product.run([product.culvert, 'run', '--proxy', proxy.url, '--', 'true'], {
      proxy: proxy.url,
      isolation,
    });
    expect(nested.code).toBe(125);
    expect(nested.stderr).toMatch(/cannot run inside one of its own isolated networks/);
  });
});

test('a user sees and stops the lanes of all engines of theirs, and of nobody else’s', async () => {
  const wait = ['sh', '-c', 'echo started; read line'];
  await using first = product.spawn(wait, { proxy: proxy.url, isolation: 'rootless' });
  await using second = product.spawn(wait, { proxy: proxy.url, isolation: 'helper' });
  await using other = product.spawn(wait, { proxy: proxy.url, user: 'culvert-b' });
  for (const each of [first, second, other]) await each.says(/started/);
  const engines = (await listed('culvert-a')).map(({ id }) => id.split('-')[0]);
  expect(engines.sort()).toEqual([first, second].map(({ pid }) => String(pid)).sort());
  // A shell that waits for a line takes SIGTERM as its end.
  const said = await world.must([product.culvert, 'stop', '--all'], { user: 'culvert-a' });
  expect(said.trim().split('\n')).toHaveLength(2);
  for (const each of [first, second]) expect((await each.ended).signal).toBe('SIGTERM');
  expect(await listed('culvert-a')).toEqual([]);
  expect(await listed('culvert-b')).toHaveLength(1);
  other.child.stdin?.end('\n');
  expect((await other.ended).code).toBe(0);
});

test('an engine refuses a peer that is in another network, though it is the same user', async () => {
  await using running = product.spawn(['sh', '-c', 'echo started; read line'], { proxy: proxy.url });
  await running.says(/started/);
  const { uid } = world.users['culvert-a'];
  const socket = `/run/user/${uid}/culvert/engine-${running.pid}.sock`;
  const ask = `
import socket, json
s = socket.socket(socket.AF_UNIX); s.connect('${socket}')
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"snapshot","params":{}}\\n')
print(json.loads(s.makefile().readline()).get('error', {}).get('message', 'served'))
`;
  const user = 'culvert-a';
  expect(await world.must(['unshare', '-Urn', '/usr/bin/python3', '-c', ask], { user })).toBe(
    'peer-refused\n',
  );
  expect(await world.must(['/usr/bin/python3', '-c', ask], { user })).toBe('served\n');
  running.child.stdin?.end('\n');
});

describe('a helper that was given an engine that lies', () => {
  const fake = join(repository, 'test/system/fake-engine.py');
  const hello = `{'id': 1, 'call': 'hello', 'params': {'version': '0.1.0'}}`;
  let run = 0;

  /** Says each line to a privileged helper of culvert-a's and answers what came back. */
  async function converse(...lines: string[]): Promise<string[]> {
    run += 1;
    const { uid } = world.users['culvert-a'];
    const script = join(world.dir, 'fake-engine.py');
    writeFileSync(script, execFileSync('cat', [fake]));
    const helper = ['sudo', '-n', join(product.dir, 'bin', 'culvert-helper'), 'privileged'];
    const command = ['/usr/bin/python3', script, `/run/user/${uid}/fake-${run}`, ...helper];
    const { stdout } = await world.run(command, { user: 'culvert-a', stdin: `${lines.join('\n')}\n` });
    return stdout.split('\n').filter(Boolean);
  }

  test('answers what is right, for the user who asked and nobody else', async () => {
    const [answer] = await converse(hello);
    expect(JSON.parse(answer ?? '')).toMatchObject({ ok: true, value: { uid: 20_001, mode: 'privileged' } });
  });

  const wrong: [string, string][] = [
    ['an unknown command', `{'id': 1, 'call': 'run', 'params': {}}`],
    ['a field too many', `{'id': 1, 'call': 'lane.create', 'params': {'uid': 0}}`],
    [
      'a path where none belongs',
      `{'id': 1, 'call': 'hello', 'params': {'version': '0.1.0', 'log': '/etc/shadow'}}`,
    ],
    ['something else than JSON', `b'\\xff\\x00 not json'`],
    ['an array', `[1, 2]`],
    ['a message that is too long', `b'x' * 70000`],
    ['descriptors where none belong', `({'id': 1, 'call': 'lane.create', 'params': {}}, 3)`],
    ['more descriptors than any message has', `({'id': 1, 'call': 'lane.create', 'params': {}}, 40)`],
    ['a prototype', `b'{"id":1,"call":"__proto__","params":{}}'`],
  ];
  test.each(wrong)('ends when it hears %s', async (_name, line) => {
    expect(await converse(hello, line, hello)).toEqual([expect.stringContaining('"ok":true'), 'end', 'end']);
  });

  test('refuses another version, with a failure', async () => {
    const [answer] = await converse(`{'id': 1, 'call': 'hello', 'params': {'version': '9.9.9'}}`);
    expect(answer).toContain('"code":"version-mismatch"');
  });

  test('signals nobody outside of the lane', async () => {
    const [, , one, all] = await converse(
      hello,
      `{'id': 2, 'call': 'lane.create', 'params': {}}`,
      `{'id': 3, 'call': 'lane.signal', 'params': {'lane': 1, 'signal': 'SIGKILL', 'pid': ${process.pid}}}`,
      `{'id': 4, 'call': 'lane.signal', 'params': {'lane': 1, 'signal': 'SIGKILL'}}`,
    );
    expect([one, all].map((answer) => (JSON.parse(answer ?? '') as { value: unknown }).value)).toEqual([
      { count: 0 },
      { count: 0 },
    ]);
  });

  test('starts nothing from a payload that is not one, and never as anybody else', async () => {
    const answers = await converse(
      hello,
      `{'id': 2, 'call': 'lane.create', 'params': {}}`,
      `({'id': 3, 'call': 'lane.launch', 'params': {'lane': 1, 'terminal': 'none'}}, 5)`,
      `{'id': 4, 'call': 'lane.launch', 'params': {'lane': 1, 'terminal': 'none', 'uid': 0}}`,
    );
    expect(answers[3]).toBe('end');
  });

  test('does not serve the engine of another user', async () => {
    const { uid } = world.users['culvert-b'];
    const script = join(world.dir, 'fake-engine.py');
    await using listening = world.spawn(
      ['/usr/bin/python3', script, join('/run/user', String(uid), 'of-b'), 'sleep', '20'],
      {
        user: 'culvert-b',
      },
    );
    await world.must(['sh', '-c', `until [ -S /run/user/${uid}/of-b ]; do :; done`]);
    const helper = join(product.dir, 'bin', 'culvert-helper');
    const { code, stderr } = await world.run(['sudo', '-n', helper, 'privileged', `/run/user/${uid}/of-b`], {
      user: 'culvert-a',
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`"code":"identity-refused"`);
    await listening.end();
  });
});

describe.each(isolations)('the app (%s)', (isolation) => {
  const lane = () => ({ proxy: proxy.url, isolation });

  test('is the user, with the user’s groups, and has no capability', async () => {
    // In a user namespace a group that is not the user's own has no number to be shown by, but it still counts.
    const shared = join(world.dir, `of-the-team-${isolation}`);
    writeFileSync(shared, 'read by the group');
    chownSync(shared, 0, team.gid);
    chmodSync(shared, 0o040);
    expect(await product.must(['cat', shared], lane())).toBe('read by the group');
    expect(
      (await product.run(['cat', shared], { ...lane(), user: 'culvert-b', isolation: 'rootless' })).code,
    ).toBe(1);
    if (isolation === 'helper') {
      expect(await product.must(['id'], lane())).toBe(await world.must(['id'], { user: 'culvert-a' }));
    }
    const status = await product.must(['cat', '/proc/self/status'], lane());
    const { uid, gid } = world.users['culvert-a'];
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:\\t${gid}\\t${gid}\\t${gid}\\t${gid}$`, 'm'));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'));
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(status).toMatch(/^NoNewPrivs:\t0$/m);
  });

  test('has three descriptors, the directory, mask, limits and environment of its caller', async () => {
    const list = 'pwd; umask; ulimit -Sn; ulimit -Hn; ulimit -c; echo "$GREETING"';
    const command = ['sh', '-c', list];
    const around = ['sh', '-c', `cd /usr; umask 0027; ulimit -Sn 321; "$@"`, 'sh'];
    const env = { GREETING: 'hello  there' };
    const outside = await world.must([...around, ...command], { user: 'culvert-a', env });
    const run = [product.culvert, 'run', '--proxy', proxy.url, '--isolation', isolation, '--'];
    expect(await world.must([...around, ...run, ...command], { user: 'culvert-a', env })).toBe(outside);
    const open = `import os; print(sorted(fd for fd in range(1000) if os.path.exists(f'/proc/self/fd/{fd}')))`;
    expect(await product.must(['/usr/bin/python3', '-c', open], lane())).toBe('[0, 1, 2]\n');
  });

  test('gets LD_PRELOAD and its kin, which root’s part of the start never sees', async () => {
    const { home, uid } = world.users['culvert-a'];
    const source = join(world.dir, 'told.c');
    const library = join(world.dir, 'told.so');
    writeFileSync(
      source,
      `#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void) {
  char name[256] = {0}, line[300];
  int in = open("/proc/self/comm", 0), out = open("${home}/told", O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (in < 0 || out < 0 || read(in, name, 255) < 0) return;
  sprintf(line, "%d %s", geteuid(), name);
  if (write(out, line, strlen(line)) < 0) return;
}`,
    );
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, source]);
    const env = ['env', `LD_PRELOAD=${library}`, `GCONV_PATH=${world.dir}`, `LOCPATH=${world.dir}`];
    const run = [product.culvert, 'run', '--proxy', proxy.url, '--isolation', isolation, '--'];
    const asked = [...env, ...run, 'printenv', 'LD_PRELOAD', 'GCONV_PATH'];
    expect(await world.must(asked, { user: 'culvert-a' })).toBe(`${library}\n${world.dir}\n`);
    const told = (await world.must(['cat', `${home}/told`])).split('\n').filter(Boolean);
    expect(told).toContain(`${uid} printenv`);
    expect(told.filter((line) => line.startsWith('0 ') || line.includes('culvert-launch'))).toEqual([]);
  });
});
