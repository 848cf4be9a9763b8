import { connect } from 'node:net';
import { SocksClient } from 'socks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DemoPage,
  DemoProxy,
  type Parsed,
  parseGreeting,
  parseRequest,
  parseSignIn,
} from '../../electron/cli/demo-server.ts';

const credentials = { user: 'demo', password: 'päss:word' };
let page: DemoPage;
let proxy: DemoProxy;

beforeEach(async () => {
  page = await DemoPage.start('hello\n', 100_000, 1);
  proxy = await DemoProxy.start(credentials, { host: 'page.demo.test', port: 80, realPort: page.port });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await page[Symbol.asyncDispose]();
});

async function fetchThrough(
  host: string,
  port: number,
  path: string,
  password = credentials.password,
): Promise<Buffer> {
  const { socket } = await SocksClient.createConnection({
    proxy: { host: '127.0.0.1', port: proxy.port, type: 5, userId: credentials.user, password },
    command: 'connect',
    destination: { host, port },
    timeout: 5000,
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.resume();
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe('the built-in proxy, asked by an independent client', () => {
  test('leads to the page by its name and writes that down', async () => {
    const answer = await fetchThrough('page.demo.test', 80, '/');
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 OK[^]*hello\n$/);
    expect(proxy.log).toEqual([
      { command: 'connect', form: 'name', host: 'page.demo.test', port: 80, answer: 'connected' },
    ]);
  });

  test('carries every byte of the file', async () => {
    const answer = await fetchThrough('page.demo.test', 80, '/file');
    expect(answer.subarray(-page.file.length).equals(page.file)).toBe(true);
  });

  test.each([
    ['203.0.113.7', 443, 'ipv4'],
    ['2001:db8::7', 443, 'ipv6'],
    ['other.demo.test', 80, 'name'],
    ['page.demo.test', 81, 'name'],
    ['127.0.0.1', 80, 'ipv4'],
  ])('refuses %s:%d and writes that down', async (host, port, form) => {
    await expect(fetchThrough(host, port, '/')).rejects.toThrow();
    expect(proxy.log).toEqual([{ command: 'connect', form, host, port, answer: 'refused' }]);
  });

  test('refuses a wrong password before it hears where to', async () => {
    await expect(fetchThrough('page.demo.test', 80, '/', 'wrong')).rejects.toThrow();
    expect(proxy.log).toEqual([]);
    expect(proxy.refusedSignIns).toBe(1);
  });

  test.each([
    ['a client without sign-in', Buffer.from([5, 1, 0])],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['endless greetings', Buffer.alloc(4096, 5)],
  ])('closes the connection of %s', async (_name, bytes) => {
    const socket = connect(proxy.port, '127.0.0.1', () => socket.write(bytes));
    socket.resume();
    await new Promise((resolve) => {
      // A reset is as good an end as a close.
      socket.on('error', resolve).on('close', resolve);
    });
    expect(proxy.log).toEqual([]);
  });
});

describe('its parsers', () => {
  const messages: [string, (bytes: Buffer) => Parsed<unknown>, Buffer][] = [
    ['greeting', parseGreeting, Buffer.from([5, 2, 0, 2])],
    ['sign-in', parseSignIn, Buffer.from([1, 1, 0x61, 2, 0x62, 0x63])],
    ['IPv4 request', parseRequest, Buffer.from([5, 1, 0, 1, 192, 0, 2, 1, 0, 80])],
    ['name request', parseRequest, Buffer.from([5, 1, 0, 3, 1, 0x61, 0, 80])],
    ['IPv6 request', parseRequest, Buffer.from([5, 3, 0, 4, ...Array<number>(16).fill(1), 0, 80])],
  ];

  test.each(messages)(
    'take a %s whole, and wait for the rest at every shorter length',
    (_name, parse, whole) => {
      for (let size = 0; size < whole.length; size += 1)
        expect(parse(whole.subarray(0, size))).toBe('incomplete');
      expect(parse(whole)).toMatchObject({ size: whole.length });
      expect(parse(Buffer.concat([whole, Buffer.from('more')]))).toMatchObject({ size: whole.length });
    },
  );

  test('refuse another version or address type', () => {
    expect(parseGreeting(Buffer.from([4, 1]))).toBe('invalid');
    expect(parseSignIn(Buffer.from([5]))).toBe('invalid');
    expect(parseRequest(Buffer.from([5, 1, 0, 9, 0]))).toBe('invalid');
  });

  test.each([
    ['20010db8000000000000000000000007', '2001:db8::7'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000010002000300040005', '2001:db8:0:1:2:3:4:5'],
    ['00000000000000000000000000000000', '::'],
  ])('write the IPv6 address %s as %s', (hex, text) => {
    const request = parseRequest(
      Buffer.concat([Buffer.from([5, 1, 0, 4]), Buffer.from(hex, 'hex'), Buffer.from([0, 80])]),
    );
    expect(request).toMatchObject({ value: { host: text } });
  });
});
