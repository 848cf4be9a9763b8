/** The same code against proxies that other people wrote. A proxy that is not installed is skipped by name. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Upstream } from '#shared/model.ts';
import { dial } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { udpAssociate } from '../../../electron/engine/upstream/udp-associate.ts';
import { delay, failureFrom, listen } from './scripted-proxy.ts';
import { serveTarget, type Target } from './target.ts';

const programs = {
  microsocks: '/usr/bin/microsocks',
  dante: '/usr/sbin/danted',
  tinyproxy: '/usr/bin/tinyproxy',
};
const signIn = { user: 'joe', password: 'tr€asure' };
const children: ChildProcess[] = [];
const dir = mkdtempSync(join(tmpdir(), 'culvert-proxies-'));
let target: Target;

beforeAll(async () => {
  target = await serveTarget();
});

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  target.server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a proxy that stays in the foreground and waits until it takes connections. */
async function start(program: string, args: (port: number) => readonly string[]): Promise<number> {
  const port = await freePort();
  const child = spawn(program, args(port), { stdio: 'ignore' });
  children.push(child);
  const deadline = performance.now() + 5000;
  for (;;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => {
        resolve(false);
      });
    });
    if (isUp) return port;
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${program} does not listen`);
    await delay(20);
  }
}

/** Reads "speaks first", says something and reads it back. */
async function converse(upstream: Upstream, host: string): Promise<string> {
  const { socket, early } = await dial(upstream, destinationOf(host, target.port), { deadlineMs: 5000 });
  let got = early.toString();
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.resume();
  socket.write(' and last');
  await expect.poll(() => got).toHaveLength('speaks first and last'.length);
  socket.destroy();
  return got;
}

describe.skipIf(!existsSync(programs.microsocks))('microsocks (skipped when not installed)', () => {
  let port = 0;
  beforeAll(async () => {
    port = await start(programs.microsocks, (at) => [
      '-i',
      '127.0.0.1',
      '-p',
      `${at}`,
      '-u',
      'joe',
      '-P',
      signIn.password,
    ]);
  });
  const proxy = (more: Partial<Upstream> = signIn): Upstream => ({
    kind: 'socks5',
    host: '127.0.0.1',
    port,
    ...more,
  });

  it.each(['127.0.0.1', 'localhost'])('carries bytes to %s', async (host) => {
    expect(await converse(proxy(), host)).toBe('speaks first and last');
  });

  it('refuses a wrong password and none', async () => {
    const destination = destinationOf('127.0.0.1', target.port);
    for (const credentials of [{}, { user: 'joe', password: 'wrong' }]) {
      expect((await failureFrom(dial(proxy(credentials), destination))).code).toBe('proxy-sign-in-refused');
    }
  });

  it('says that nothing listens there', async () => {
    const failure = await failureFrom(dial(proxy(), destinationOf('127.0.0.1', await freePort())));
    expect(failure).toEqual({ code: 'proxy-refused', detail: 'connection refused (reply 5)' });
  });

  it('does not offer UDP', async () => {
    expect((await failureFrom(udpAssociate(proxy()))).code).toBe('udp-not-offered');
  });
});

describe.skipIf(!existsSync(programs.dante))('dante (skipped when not installed)', () => {
  let port = 0;
  beforeAll(async () => {
    port = await start(programs.dante, (at) => {
      const file = join(dir, 'danted.conf');
      writeFileSync(
        file,
        [
          `internal: 127.0.0.1 port = ${at}`,
          'external: 127.0.0.1',
          'clientmethod: none',
          'socksmethod: none',
          'user.unprivileged: nobody',
          'client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }',
          'socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect udpassociate }',
          'socks pass { from: 0.0.0.0/0 to: 127.0.0.0/8 command: udpreply }',
        ].join('\n'),
      );
      return ['-f', file, '-p', join(dir, 'danted.pid')];
    });
  });
  const proxy = (kind: Upstream['kind'] = 'socks5'): Upstream => ({ kind, host: '127.0.0.1', port });

  it.each([
    ['socks5', '127.0.0.1'],
    ['socks5', 'localhost'],
    ['socks4', '127.0.0.1'],
  ] as const)('carries bytes over %s to %s', async (kind, host) => {
    expect(await converse(proxy(kind), host)).toBe('speaks first and last');
  });

  it('relays datagrams while the control connection lives', async () => {
    const echo = createSocket('udp4');
    echo.on('message', (bytes, peer) => echo.send(bytes, peer.port, peer.address));
    await new Promise<void>((resolve) => void echo.bind(0, '127.0.0.1', resolve));
    const app = createSocket('udp4');
    const association = await udpAssociate(proxy());
    const { relay } = association;
    const header = Buffer.from([0, 0, 0, 1, 127, 0, 0, 1, 0, 0]);
    header.writeUInt16BE(echo.address().port, 8);
    const answer = once(app, 'message');
    app.send(Buffer.concat([header, Buffer.from('ping')]), relay.port, relay.address);
    const [bytes] = (await answer) as [Buffer];
    expect(bytes.subarray(10).toString()).toBe('ping');
    association.close();
    app.close();
    echo.close();
  });
});

describe.skipIf(!existsSync(programs.tinyproxy))('tinyproxy (skipped when not installed)', () => {
  let port = 0;
  beforeAll(async () => {
    port = await start(programs.tinyproxy, (at) => {
      const file = join(dir, 'tinyproxy.conf');
      writeFileSync(file, `Port ${at}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth joe secret\n`);
      return ['-d', '-c', file];
    });
  });
  const proxy = (password?: string): Upstream => ({
    kind: 'http',
    host: '127.0.0.1',
    port,
    ...(password === undefined ? {} : { user: 'joe', password }),
  });

  it.each(['127.0.0.1', 'localhost'])('carries bytes to %s', async (host) => {
    expect(await converse(proxy('secret'), host)).toBe('speaks first and last');
  });

  it('refuses a wrong password and none', async () => {
    const destination = destinationOf('127.0.0.1', target.port);
    for (const password of ['wrong', undefined]) {
      expect((await failureFrom(dial(proxy(password), destination))).code).toBe('proxy-sign-in-refused');
    }
  });

  it('says that it could not connect', async () => {
    const failure = await failureFrom(dial(proxy('secret'), destinationOf('127.0.0.1', await freePort())));
    expect(failure).toMatchObject({
      code: 'proxy-refused',
      detail: expect.stringMatching(/^5\d\d /) as string,
    });
  });
});
