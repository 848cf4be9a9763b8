import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { chainsInFiles } from '../../../electron/engine/profiles/found/chain-files.ts';
import { kdeProxies, stringsIn } from '../../../electron/engine/profiles/found/desktop-proxies.ts';
import { listenersOf, listening } from '../../../electron/engine/profiles/found/listeners.ts';
import { accepts, answersSocks } from '../../../electron/engine/profiles/found/loopback.ts';
import { proxiesInVariables } from '../../../electron/engine/profiles/found/variables.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** A server of the loopback that answers the first bytes with these, or not at all. */
async function answering(bytes: readonly number[] | undefined): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {
      // Whoever looks hangs up.
    });
    socket.once('data', () => bytes !== undefined && socket.write(Buffer.from(bytes)));
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('a SOCKS5 proxy is known by its answer, and nobody is waited for', async () => {
  expect(await answersSocks('127.0.0.1', await answering([5, 0]))).toBe(true);
  expect(await answersSocks('127.0.0.1', await answering([5, 0xff]))).toBe(true);
  expect(await answersSocks('127.0.0.1', await answering([0x48, 0x54, 0x54, 0x50]))).toBe(false);
  const silent = await answering(undefined);
  expect(await answersSocks('127.0.0.1', silent)).toBe(false);
  expect(await accepts('localhost', silent)).toBe(true);
  const closed = await answering(undefined);
  await new Promise((resolve) => open.pop()?.close(resolve));
  expect(await answersSocks('127.0.0.1', closed)).toBe(false);
  expect(await accepts('127.0.0.1', closed)).toBe(false);
});

test('the process that listens is named where it is this user’s', async () => {
  const port = await answering([5, 0]);
  const names = await listenersOf([port]);
  expect([...names.keys()]).toEqual([port]);
  expect(names.get(port)).toMatch(/\w/);
  expect(await listenersOf([port], '/no/such')).toEqual(new Map());
});

test('a table of sockets is read for those that listen', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:235A 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0
   1: 0100007F:0438 0100007F:1234 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0
`;
  expect(listening(table)).toEqual([{ port: 9050, inode: '4242' }]);
});

test('variables are taken with what they mean without a scheme, and without a password', () => {
  const found = proxiesInVariables({
    ...{ all_proxy: 'socks5h://me:hunter2@192.0.2.1:1080', HTTPS_PROXY: '192.0.2.2:3128' },
    ...{ socks_proxy: '192.0.2.3:1081', http_proxy: 'no proxy at all', HTTP_PROXY: '' },
  });
  expect(found.map(({ where, upstreams }) => [where, upstreams])).toEqual([
    ['all_proxy', [{ kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me' }]],
    ['socks_proxy', [{ kind: 'socks5', host: '192.0.2.3', port: 1081 }]],
    ['HTTPS_PROXY', [{ kind: 'http', host: '192.0.2.2', port: 3128 }]],
  ]);
});

test('KDE’s settings are taken where they are set by hand', () => {
  const entries = 'socksProxy=socks://192.0.2.1 1080\nhttpProxy[$e]=http://192.0.2.2 3128\nhttpsProxy=\n';
  const settings = (type: number) =>
    `[General]\nProxyType=9\n\n[Proxy Settings]\nProxyType=${type}\n${entries}\n[Other]\nsocksProxy=socks://x 1\n`;
  expect(kdeProxies(settings(1))).toEqual(['socks://192.0.2.1:1080', 'http://192.0.2.2:3128']);
  expect(kdeProxies(settings(0))).toEqual([]);
  expect(kdeProxies('')).toEqual([]);
});

test('the portal’s list is read, and what is no list is none', () => {
  const text = (value: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return Buffer.concat([length, Buffer.from(`${value}\0`)]);
  };
  const first = text('socks://192.0.2.1:1080');
  const items = Buffer.concat([first, Buffer.alloc((4 - (first.length % 4)) % 4), text('direct://')]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(items.length);
  expect(stringsIn(Buffer.concat([size, items]))).toEqual(['socks://192.0.2.1:1080', 'direct://']);
  for (const body of [Buffer.alloc(0), Buffer.alloc(4), Buffer.from([255, 255, 255, 255, 9, 0, 0, 0])])
    expect(stringsIn(body)).toEqual([]);
});

test('files of proxychains are taken where a link can say them', () => {
  const home = mkdtempSync(join(tmpdir(), 'culvert-found-'));
  try {
    mkdirSync(join(home, '.proxychains'));
    const write = (text: string) => {
      writeFileSync(join(home, '.proxychains', 'proxychains.conf'), text);
    };
    const found = () => chainsInFiles({ HOME: home }, home).map(({ upstreams }) => upstreams);
    write('strict_chain\n[ProxyList]\nsocks5 192.0.2.1 1080 me hunter2\nhttp 192.0.2.2 3128\n');
    expect(found()).toEqual([
      [
        { kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me' },
        { kind: 'http', host: '192.0.2.2', port: 3128 },
      ],
    ]);
    write('random_chain\n[ProxyList]\nsocks5 192.0.2.1 1080\nhttp 192.0.2.2 3128\n');
    expect(found()).toEqual([]);
    write('nothing of the kind');
    expect(found()).toEqual([]);
    writeFileSync(join(home, 'proxychains4.conf'), '[ProxyList]\nsocks4 192.0.2.3 9050\n');
    expect(found()).toEqual([[{ kind: 'socks4a', host: '192.0.2.3', port: 9050 }]]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
