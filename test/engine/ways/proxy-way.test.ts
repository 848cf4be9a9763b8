/** What a look at a chain takes for a proxy that is there. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { UpstreamKind } from '#shared/model.ts';
import { ProxyWay } from '../../../electron/engine/ways/proxy-way.ts';
import { listen } from '../upstream/scripted-proxy.ts';

const servers: Server[] = [];
const clients = new Set<Socket>();
/** What the server was told, over all connections. */
let heard = '';

afterEach(() => {
  heard = '';
  for (const client of clients) client.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers the first bytes it gets with these, or with nothing. */
async function serverThatSays(answer: Uint8Array | string | undefined): Promise<number> {
  const server = createServer((client) => {
    clients.add(client.on('error', () => undefined));
    client.on('data', (bytes) => (heard += bytes.toString('latin1')));
    client.once('data', () => answer !== undefined && client.write(answer));
  });
  servers.push(server);
  return await listen(server);
}

const wayTo = (port: number, kind: UpstreamKind = 'socks5', mode: 'strict' | 'dynamic' = 'strict') =>
  new ProxyWay({ mode, upstreams: [{ kind, host: '127.0.0.1', port, user: 'me', password: 'hunter2' }] }, {});

const method = (byte: number) => Uint8Array.of(5, byte);

test.each([
  ['wants no sign-in', method(0)],
  ['wants one', method(2)],
] as const)('a SOCKS5 server that answers the greeting is there: it %s', async (_what, answer) => {
  const way = wayTo(await serverThatSays(answer));
  expect(await way.look(2000)).toBe(true);
  expect(way.state).toEqual({ health: 'reachable' });
  // No sign-in and no request: only what it can be greeted with.
  expect(heard.charCodeAt(0)).toBe(5);
  expect(heard).toHaveLength(2 + heard.charCodeAt(1));
  expect(heard).not.toContain('hunter2');
});

test.each([
  ['hangs', undefined, 'proxy-timeout'],
  ['is something else', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'proxy-protocol-error'],
  ['takes nobody', method(0xff), 'proxy-sign-in-refused'],
] as const)(
  'a SOCKS5 server that %s is not there, although it can be connected to',
  async (_what, answer, code) => {
    for (const mode of ['strict', 'dynamic'] as const) {
      const way = wayTo(await serverThatSays(answer), 'socks5', mode);
      expect(await way.look(300)).toBe(false);
      expect(way.state.health).toBe('unreachable');
      expect(way.state.trouble?.code).toBe(mode === 'strict' ? code : 'chain-exhausted');
    }
  },
);

test('of other kinds it is all that can be known that they are connected to', async () => {
  for (const kind of ['http', 'socks4', 'socks4a'] as const)
    expect(await wayTo(await serverThatSays(undefined), kind).look(2000)).toBe(true);
  expect(heard).toBe('');
});

test('a chain of which nobody listens is not there', async () => {
  expect(await wayTo(1).look(2000)).toBe(false);
});
