import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  SocketWatch,
  compareHosts,
  parseSockets,
  readHost,
  withoutTimes,
} from '../../electron/cli/demo-host.ts';
import { parseInterfaces, tryTcp } from '../../electron/cli/demo-probe.ts';

test('a host that nobody touches is equal to itself a moment later', async () => {
  const states = [await readHost(), await readHost()];
  const { changed, compared } = compareHosts(states);
  expect(changed).toEqual([]);
  expect(compared).toEqual(expect.arrayContaining(['addresses', 'routes', 'rules', 'resolv.conf', 'mounts']));
});

test('what changed in the middle and came back is still a change, what cannot be read is no proof', () => {
  const before = { routes: 'a', firewall: undefined, mounts: 'm' };
  const during = { ...before, routes: 'b' };
  expect(compareHosts([before, during, before])).toEqual({
    changed: ['routes'],
    compared: ['routes', 'mounts'],
    unread: ['firewall'],
  });
});

test('times that run down by themselves are no change', () => {
  const text = (left: number) =>
    `default via 192.0.2.1 expires ${left}sec\n valid_lft ${left}sec preferred_lft forever`;
  expect(withoutTimes(text(1800))).toBe(withoutTimes(text(1799)));
});

test('interfaces and the packets they sent are read from the kernel’s table', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop',
    '    lo: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0',
    'wlan0.7:5 1 0 0 0 0 0 0 7 3 0 0 0 0 0 0',
    '',
  ].join('\n');
  expect(parseInterfaces(text)).toEqual([
    { name: 'lo', sent: 20 },
    { name: 'wlan0.7', sent: 3 },
  ]);
});

describe('the sockets of this process', () => {
  test('are parsed with the address of the peer, IPv4, IPv6 and mapped', () => {
    const line = (peer: string, inode: number) =>
      `   0: 0100007F:1F90 ${peer} 01 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0`;
    const text = [
      'sl local rem',
      line('077100CB:01BB', 1),
      line('00000000:0000', 2),
      line('B80D0120000000000000000007000000:01BB', 3),
      line('0000000000000000FFFF00000100007F:01BB', 4),
      line('00000000000000000000000001000000:01BB', 5),
      '',
    ].join('\n');
    expect(parseSockets(text)).toEqual([
      { inode: '1', peer: '203.0.113.7' },
      { inode: '2', peer: undefined },
      { inode: '3', peer: '2001:0db8:0000:0000:0000:0000:0000:0007' },
      { inode: '4', peer: '::ffff:127.0.0.1' },
      { inode: '5', peer: '::1' },
    ]);
  });

  test('are seen while they are open: a control that the watch can see at all', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    using watch = new SocketWatch(60_000);
    watch.look();
    expect(watch.peers).toContain('127.0.0.1');
    expect(watch.outside).toEqual([]);
    watch.peers.add('203.0.113.7');
    expect(watch.outside).toEqual(['203.0.113.7']);
    socket.destroy();
    server.close();
  });
});

describe('a TCP attempt', () => {
  test('tells an answer from a refusal', async () => {
    const server = createServer((socket) => socket.resume().end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await tryTcp({ host: '127.0.0.1', port })).toMatchObject({ kind: 'answered' });
    await new Promise((resolve) => server.close(resolve));
    expect(await tryTcp({ host: '127.0.0.1', port })).toMatchObject({
      kind: 'failed',
      detail: 'ECONNREFUSED',
    });
  });

  test('tells a connection that is cut from one that is answered', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy())).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await tryTcp({ host: '127.0.0.1', port })).toMatchObject({ kind: 'ended' });
    server.close();
  });
});
