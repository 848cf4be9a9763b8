import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CulvertError, Failure } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { relayOf, udpAssociate } from '../../../electron/engine/upstream/udp-associate.ts';
import {
  delay,
  failureFrom,
  greeted,
  listen,
  withProxy,
  Conversation,
  type Script,
} from './scripted-proxy.ts';

const upstream = (port: number, host = '127.0.0.1'): Upstream => ({ kind: 'socks5', host, port });

function answering(answer: readonly number[], then: Script = () => undefined): Script {
  return async (client) => {
    await client.read(3);
    await client.write(greeted);
    const request = await client.read(10);
    // The client does not know its address yet (RFC 1928 §7).
    await client.write(request.toString('hex') === '05030001000000000000' ? answer : [5, 1]);
    await then(client);
  };
}

const own = [5, 0, 0, 1, 127, 0, 0, 1, 0x1f, 0x90];

describe('a UDP association', () => {
  it.each([
    ['the proxy’s own address', own],
    ['0.0.0.0', [5, 0, 0, 1, 0, 0, 0, 0, 0x1f, 0x90]],
    ['::', [5, 0, 0, 4, ...Array<number>(16).fill(0), 0x1f, 0x90]],
    [
      'the proxy’s own address, IPv4-mapped',
      [5, 0, 0, 4, ...Array<number>(10).fill(0), 255, 255, 127, 0, 0, 1, 0x1f, 0x90],
    ],
  ])('with a relay at %s goes to the proxy as connected', async (_what, answer) => {
    await withProxy(answering(answer), async (port) => {
      const association = await udpAssociate(upstream(port));
      expect(association.relay).toEqual({ address: '127.0.0.1', port: 8080 });
      association.close();
    });
  });

  it.each([
    [
      'at another address',
      [5, 0, 0, 1, 192, 0, 2, 1, 0x1f, 0x90],
      /192\.0\.2\.1, not at its own address 127\.0\.0\.1/,
    ],
    ['at another loopback address', [5, 0, 0, 1, 127, 0, 0, 2, 0x1f, 0x90], /127\.0\.0\.2/],
    [
      'at an IPv6 address',
      [5, 0, 0, 4, 0x20, 1, 0x0d, 0xb8, ...Array<number>(12).fill(0), 1, 1],
      /2001:db8::/,
    ],
    ['at a name', [5, 0, 0, 3, 1, 97, 0x1f, 0x90], /name/],
    ['at port 0', [5, 0, 0, 1, 0, 0, 0, 0, 0, 0], /port 0/],
  ])('with a relay %s is refused, and the connection ended', async (_what, answer, detail) => {
    let isGone = false;
    const script = answering(answer, (client) => client.gone().then(() => void (isGone = true)));
    await withProxy(script, async (port) => {
      const failure = await failureFrom(udpAssociate(upstream(port)));
      expect(failure).toMatchObject({
        code: 'proxy-protocol-error',
        detail: expect.stringMatching(detail) as string,
      });
      await expect.poll(() => isGone).toBe(true);
    });
  });

  it.each([1, 2, 7, 8])('that is refused with reply %d is not offered', async (code) => {
    const failure = await withProxy(answering([5, code, 0, 1, 0, 0, 0, 0, 0, 0]), (port) =>
      failureFrom(udpAssociate(upstream(port))),
    );
    expect(failure).toMatchObject({
      code: 'udp-not-offered',
      detail: expect.stringContaining(`(reply ${code})`) as string,
    });
  });

  it.each(['http', 'socks4', 'socks4a'] as const)('is not even asked of %s', async (kind) => {
    expect((await failureFrom(udpAssociate({ kind, host: '127.0.0.1', port: 1 }))).code).toBe(
      'udp-not-offered',
    );
  });

  it('over IPv6 has the relay at the IPv6 address', async () => {
    const server = createServer(
      (socket) => void answering([5, 0, 0, 1, 0, 0, 0, 0, 0, 53])(new Conversation(socket)),
    );
    const port = await listen(server, '::1');
    const association = await udpAssociate(upstream(port, '::1'));
    expect(association.relay).toEqual({ address: '::1', port: 53 });
    association.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each([
    ['closes', (client: Conversation) => void client.socket.end()],
    ['resets', (client: Conversation) => void client.socket.resetAndDestroy()],
    [
      'talks and closes',
      (client: Conversation) => client.write('x'.repeat(100_000)).then(() => void client.socket.end()),
    ],
  ])('ends once when the proxy %s the control connection', async (_what, then) => {
    const ends: Failure[] = [];
    const onEnd = (cause: CulvertError) => void ends.push(cause.failure);
    await withProxy(
      answering(own, async (client) => {
        await delay(20);
        await then(client);
      }),
      async (port) => {
        const { control } = await udpAssociate(upstream(port), { onEnd });
        await expect.poll(() => ends.length).toBe(1);
        expect(ends[0]?.code).toBe('proxy-closed');
        expect(control.destroyed).toBe(true);
      },
    );
    expect(ends).toHaveLength(1);
  });

  it('that is closed by us does not report its end', async () => {
    let ends = 0;
    await withProxy(
      answering(own, (client) => client.gone()),
      async (port) => {
        const association = await udpAssociate(upstream(port), { onEnd: () => void (ends += 1) });
        const closed = once(association.control, 'close');
        association.close();
        await closed;
        await delay(5);
      },
    );
    expect(ends).toBe(0);
  });

  it('has the same deadline as a dial', async () => {
    const failure = await withProxy(
      (client) => client.gone(),
      (port) => failureFrom(udpAssociate(upstream(port), { deadlineMs: 50 })),
    );
    expect(failure.code).toBe('proxy-timeout');
  });

  it('whose connection is gone at once has no relay', () => {
    const bound = { type: 1, address: Buffer.from([0, 0, 0, 0]), port: 1 };
    expect(() => relayOf(bound, undefined)).toThrow(/closed/);
  });
});
