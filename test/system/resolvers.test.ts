/**
 * Services of the host that resolve names for others, and what an app sees when it loses the mounts that hide
 * them: still only the lane answers. (A mask on a socket, or on the service's own directory, would fall off
 * when the service restarts.)
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet } from '../world/addresses.ts';
import { isolations } from '../world/product.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { DnsStage, fakeV4 } from './dns-stage.ts';
import { LaneShell } from './lane-shell.ts';

const nscdSocket = '/run/nscd/socket';
const varlink = '/run/systemd/resolve/io.systemd.Resolve';

let stage: DnsStage;

beforeAll(async () => {
  stage = await DnsStage.open();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Caches nothing beyond its own life: the files of a persistent cache would be the machine's own. */
const nscdConf = `
enable-cache hosts yes
positive-time-to-live hosts 60
negative-time-to-live hosts 1
persistent hosts no
shared hosts no
check-files hosts no
`;

/** The host's nscd in the foreground; with -d it says every name that it is asked for. */
class Nscd implements AsyncDisposable {
  #running: Running | undefined;
  #before = '';

  /** Resolves when it listens. The flag of a listening socket in /proc/net/unix is __SO_ACCEPTCON. */
  async start(): Promise<void> {
    mkdirSync(stage.world.path('/run/nscd'), { recursive: true });
    writeFileSync(stage.world.path('/etc/nscd.conf'), nscdConf);
    const { pid } = (this.#running = stage.world.spawn(['nscd', '-d']));
    const listens = new RegExp(`: [0-9]+ 0+ 00010000 .* (?:/var)?${nscdSocket}$`, 'm');
    await until('nscd to listen', () => listens.test(readFileSync(`/proc/${pid}/net/unix`, 'utf8')));
  }

  /** As a service manager ends it: nothing of it is left, its directory neither (RuntimeDirectory=). */
  async stop(): Promise<void> {
    await this.#running?.end('SIGKILL');
    this.#before = this.said;
    this.#running = undefined;
    rmSync(stage.world.path('/run/nscd'), { recursive: true, force: true });
  }

  /** All that it has said, in all its lives. */
  get said(): string {
    return this.#before + (this.#running?.stdout ?? '') + (this.#running?.stderr ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A stand-in for systemd-resolved: a socket for everybody that says when somebody connects to it. */
async function startResolved(): Promise<Running> {
  const serve = `
import os, socket
os.makedirs(os.path.dirname('${varlink}'), exist_ok=True)
server = socket.socket(socket.AF_UNIX); server.bind('${varlink}'); os.chmod('${varlink}', 0o666); server.listen()
print('listening', flush=True)
while True: server.accept()[0].close(); print('connected', flush=True)
`;
  const service = stage.world.spawn(['/usr/bin/python3', '-c', serve]);
  await service.says(/listening/);
  return service;
}

/** How hosts have their resolv.conf, each with the server that it names. */
const forms: [string, string][] = [
  ['a file with a public resolver', 'echo nameserver 8.8.8.8 > /etc/resolv.conf'],
  ['a file with a stub of this computer', 'echo nameserver 127.0.0.53 > /etc/resolv.conf'],
  [
    'a link to the file of systemd-resolved',
    `mkdir -p /run/systemd/resolve
     echo nameserver 127.0.0.53 > /run/systemd/resolve/stub-resolv.conf
     ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf`,
  ],
  [
    'an absolute link into /run, with a search list',
    `mkdir -p /run/NetworkManager
     printf 'search example.test\nnameserver ${internet.dns6}\n' > /run/NetworkManager/resolv.conf
     ln -s /run/NetworkManager/resolv.conf /etc/resolv.conf`,
  ],
  ['not there at all', ':'],
];

describe.each(isolations)('on a lane (%s)', (isolation) => {
  const open = () => LaneShell.open(stage.product, { proxy: stage.proxy.url, isolation });

  test('a running nscd is not asked, nor one that restarts ten times meanwhile', async () => {
    await using nscd = new Nscd();
    await nscd.start();
    await using lane = await open();
    await stage.forget();
    const stop = `${stage.world.users['culvert-a'].home}/stop`;
    rmSync(stop, { force: true });
    // A new process each time: one that has not found nscd does not try again for a while.
    const looking = lane.must(`n=0
      while [ ! -e stop ]; do n=$((n + 1)); getent ahosts loop-$n.example.test || echo failed; done`);
    for (let restart = 0; restart < 10; restart += 1) {
      const before = lane.running.stdout.length;
      await until('answers under this nscd', () => lane.running.stdout.length > before + 2000);
      await nscd.stop();
      await nscd.start();
    }
    writeFileSync(stop, '');
    const answers = (await looking).split('\n').filter(Boolean);
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((line) => !/^(198\.1[89]\.|fdc0:1a7e:f::)/.test(line))).toEqual([]);
    expect(nscd.said).not.toContain('example.test');
    await stage.expectNothingOutside();

    // The positive control: outside of a lane it is nscd that asks.
    const control = `outside-${isolation}.example.test`;
    expect(await stage.world.must(['getent', 'ahosts', control], { user: 'culvert-a' })).toContain(
      internet.web4,
    );
    await until('nscd to say what it was asked for', () => nscd.said.includes(control));
    expect((await stage.queries()).join()).toContain(control);
  });

  test('the socket of systemd-resolved is out of reach, however often it is made anew', async () => {
    const connect = `/usr/bin/python3 -c "import socket; socket.socket(socket.AF_UNIX).connect('${varlink}')"`;
    let service = await startResolved();
    await using lane = await open();
    await stage.forget();
    for (let restart = 0; restart < 5; restart += 1) {
      const { output, code } = await lane.run(connect);
      expect([code, output]).toEqual([1, expect.stringContaining('FileNotFoundError')]);
      expect(await lane.must(`getent ahosts resolved-${restart}.example.test`)).toMatch(fakeV4);
      expect(service.stdout).not.toContain('connected');
      await service.end('SIGKILL');
      rmSync(stage.world.path('/run/systemd/resolve'), { recursive: true });
      service = await startResolved();
    }
    await stage.expectNothingOutside();

    // The positive control.
    await stage.world.must(['sh', '-c', connect], { user: 'culvert-a' });
    await service.says(/connected/);
    await service.end('SIGKILL');
    rmSync(stage.world.path('/run/systemd'), { recursive: true });
  });

  test('an app in the mounts of the host, with resolv.conf as it is there, is answered by the lane', async () => {
    await using lane = await open();
    const pid = await lane.pid();
    for (const server of ['127.0.0.53', '8.8.8.8', '::1', internet.dns6]) {
      writeFileSync(stage.world.path('/etc/resolv.conf'), `nameserver ${server}\n`);
      await stage.forget();
      const name = `mounts-${isolation}.example.test`;
      const look = ['sh', '-c', `cat /etc/resolv.conf; getent ahosts ${name}; busybox nslookup ${name}`];
      const output = await stage.world.must(['nsenter', `--net=/proc/${pid}/ns/net`, ...look]);
      expect(output).toContain(`nameserver ${server}`);
      expect(output).toMatch(fakeV4);
      expect(output).not.toContain(internet.web4);
      await stage.expectNothingOutside();

      // The positive control.
      expect(await stage.world.must(look)).toContain(internet.web4);
      expect((await stage.queries()).join()).toContain(name);
    }
  });

  test.each(forms)('a resolv.conf that is %s stays as it is, and is not needed', async (_name, write) => {
    await stage.world.shell(`rm -f /etc/resolv.conf\n${write}`);
    const state = async () =>
      (await stage.world.run(['sh', '-c', 'stat -c "%i %F %N" $0; cat $0', '/etc/resolv.conf'])).stdout;
    const before = await state();
    await stage.forget();
    const name = `form-${isolation}.example.test`;
    await using lane = await open();
    for (const look of [`getent ahosts ${name}`, `busybox nslookup ${name}`]) {
      expect(await lane.must(look)).toMatch(fakeV4);
    }
    await stage.expectNothingOutside();
    expect(await state()).toBe(before);

    // The positive control.
    expect(await stage.world.must(['getent', 'ahosts', name], { user: 'culvert-a' })).toContain(
      internet.web4,
    );
    expect((await stage.queries()).join()).toContain(name);
  });
});
