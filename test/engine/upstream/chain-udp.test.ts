/** Associations through several SOCKS5 servers: what is asked of whom, whose relays are believed, and their end. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { ChainDialler, type ChainAssociation } from '../../../electron/engine/upstream/chain.ts';
import { farRelayOf } from '../../../electron/engine/upstream/udp-associate.ts';
import { failureFrom, granted, withProxy, type Conversation, type Script } from './scripted-proxy.ts';

const open: ChainAssociation[] = [];
afterEach(() => {
  for (const association of open.splice(0)) association.close();
});

/** A SOCKS5 server that says yes to everything; an association's relay is what it is given. */
function server(relay: readonly number[], requests: string[], clients: Conversation[] = []): Script {
  return async (client) => {
    const greeting = await client.read(3);
    if (greeting.length < 3) return;
    await client.write([5, 0]);
    const head = await client.read(4);
    const rest =
      head[3] === 3 ? await client.read(((await client.read(1))[0] ?? 0) + 2) : await client.read(6);
    const command = head[1] === 3 ? 'associate' : `connect ${rest.toString('latin1')}`;
    requests.push(command);
    clients.push(client);
    await client.write(head[1] === 3 ? [5, 0, 0, ...relay] : granted);
    if (head[1] !== 3) await server(relay, requests, clients)(client);
  };
}

/** One server that plays every hop of a chain, because what it connects to is itself. */
async function withChain(
  hosts: readonly string[],
  relay: readonly number[],
  test: (chain: ChainDialler, requests: string[], clients: Conversation[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const clients: Conversation[] = [];
  await withProxy(server(relay, requests, clients), async (port) => {
    const upstreams = hosts.map((host): Upstream => ({ kind: 'socks5', host, port }));
    await test(new ChainDialler({ mode: 'strict', upstreams }), requests, clients);
  });
}

async function associate(
  chain: ChainDialler,
  onEnd?: (cause: CulvertError) => void,
): Promise<ChainAssociation> {
  const association = await chain.associate({ deadlineMs: 3000, ...(onEnd === undefined ? {} : { onEnd }) });
  open.push(association);
  return association;
}

const anywhere = [1, 0, 0, 0, 0, 0x10, 0x20] as const;
const here = [1, 127, 0, 0, 1, 0x10, 0x20] as const;

describe('an association through several servers', () => {
  it('asks each of them, the further ones through those before, and lists their relays', async () => {
    await withChain(['127.0.0.1', '192.0.2.2', '192.0.2.3'], anywhere, async (chain, requests) => {
      const { relay, layers } = await associate(chain);
      const kinds = requests.map((request) => request.split(' ')[0]);
      expect(kinds).toEqual(['associate', 'connect', 'associate', 'connect', 'connect', 'associate']);
      expect(relay).toEqual({ address: '127.0.0.1', port: 0x1020 });
      expect(layers).toEqual([
        Buffer.of(1, 192, 0, 2, 2, 0x10, 0x20),
        Buffer.of(1, 192, 0, 2, 3, 0x10, 0x20),
      ]);
    });
  });

  it('needs no layer with one server', async () => {
    await withChain(['127.0.0.1'], here, async (chain) => {
      const { relay, layers, via } = await associate(chain);
      expect({ relay, layers }).toEqual({ relay: { address: '127.0.0.1', port: 0x1020 }, layers: [] });
      expect(via).toBe(chain.via);
    });
  });

  it('takes the name of a server that is given by name', async () => {
    await withChain(['127.0.0.1', 'two.test'], here, async (chain) => {
      const { layers } = await associate(chain);
      expect(layers).toEqual([
        Buffer.concat([Buffer.of(3, 8), Buffer.from('two.test'), Buffer.of(0x10, 0x20)]),
      ]);
    });
  });

  it('refuses a relay at another address than the server’s own', async () => {
    await withChain(['127.0.0.1', '192.0.2.2'], here, async (chain) => {
      const failure = await failureFrom(associate(chain));
      expect(failure.code).toBe('proxy-protocol-error');
      expect(failure.detail).toMatch(/127\.0\.0\.1, not at its own address 192\.0\.2\.2; server 2 of 2/);
    });
  });

  it.each([0, 1, 2])('ends with control connection %i, and then all others do', async (which) => {
    await withChain(['127.0.0.1', '192.0.2.2', '192.0.2.3'], anywhere, async (chain, _requests, clients) => {
      const causes: CulvertError[] = [];
      await associate(chain, (cause) => causes.push(cause));
      const controls = [...new Set(clients.map(({ socket }) => socket))];
      expect(controls).toHaveLength(3);
      controls[which]?.destroy();
      await expect.poll(() => causes.map(({ failure }) => failure.code)).toEqual(['proxy-closed']);
      await expect
        .poll(() => controls.every((socket) => socket.destroyed || socket.readableEnded))
        .toBe(true);
    });
  });

  it('closes all of them without a word', async () => {
    await withChain(['127.0.0.1', '192.0.2.2'], anywhere, async (chain, _requests, clients) => {
      const causes: CulvertError[] = [];
      (await associate(chain, (cause) => causes.push(cause))).close();
      for (const client of clients) await client.gone();
      expect(causes).toEqual([]);
    });
  });

  it.each(['http', 'https', 'socks4', 'socks4a'] as const)(
    'is not offered with %s in the path',
    async (kind) => {
      const upstreams: Upstream[] = [
        { kind: 'socks5', host: '127.0.0.1', port: 1 },
        { kind, host: '127.0.0.1', port: 1 },
      ];
      const failure = await failureFrom(new ChainDialler({ mode: 'strict', upstreams }).associate());
      expect(failure).toMatchObject({ code: 'udp-not-offered' });
    },
  );

  it('is made of the living servers of a dynamic chain', async () => {
    const requests: string[] = [];
    await withProxy(server(here, requests), async (port) => {
      const upstreams: Upstream[] = [
        { kind: 'socks5', host: '127.0.0.1', port: 1 },
        { kind: 'socks5', host: '127.0.0.1', port },
      ];
      const chain = new ChainDialler({ mode: 'dynamic', upstreams });
      expect((await associate(chain)).via).toBe(`socks5://127.0.0.1:${port}`);
    });
  });
});

describe('the relay of a far server', () => {
  const bound = (address: readonly number[], type = 1, port = 7) => ({
    type,
    port,
    address: Buffer.from(address),
  });

  it('is its own address, however that is written', () => {
    expect(farRelayOf(bound([192, 0, 2, 2]), { host: '192.0.2.2' })).toMatchObject({
      host: '192.0.2.2',
      port: 7,
    });
    const mapped = [...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 2];
    expect(farRelayOf(bound(mapped, 4), { host: '192.0.2.2' })).toMatchObject({ host: '192.0.2.2' });
    expect(farRelayOf(bound(Array<number>(16).fill(0), 4), { host: '2001:db8::2' })).toMatchObject({
      host: '2001:db8::2',
      kind: 'ipv6',
    });
  });

  it.each([
    [bound([192, 0, 2, 3]), 'not at its own'],
    [bound([0, 0, 0, 0], 1, 0), 'port 0'],
    [bound([1, 97], 3), 'by a name'],
  ])('is refused otherwise', (answer, reason) => {
    expect(() => farRelayOf(answer, { host: '192.0.2.2' })).toThrow(reason);
  });
});
