/** The dialogue with a proxy against every hostile one: the right failure, in time, and nothing lost. */
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { failureOf } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { dial } from '../../electron/engine/upstream/dial.ts';
import { udpAssociate } from '../../electron/engine/upstream/udp-associate.ts';
import { type Behaviour, isRight } from './behaviour.ts';
import { behaviours, everyBehaviour, udpBehaviours } from './behaviours.ts';
import { page } from './conversation.ts';
import { listen } from './listen.ts';

/** Short, but longer than anything that works needs. */
const deadlineMs = 700;

async function withBehaviour<T>(behaviour: Behaviour, use: (upstream: Upstream) => Promise<T>): Promise<T> {
  const server = await listen(behaviour, 0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  const signIn = behaviour.signIn === true ? { user: 'user', password: 'password' } : {};
  const kind = behaviour.scheme === 'socks4' ? 'socks4a' : behaviour.scheme;
  try {
    return await use({ kind, host: '127.0.0.1', port, ...signIn });
  } finally {
    server.close();
  }
}

/** The page through the proxy, or the code of the failure. */
async function fetchThrough(upstream: Upstream): Promise<string> {
  try {
    const { socket, early } = await dial(
      upstream,
      { kind: 'name', host: 'example.test', port: 80 },
      { deadlineMs },
    );
    const parts: Buffer[] = [early];
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (bytes: Buffer) => parts.push(bytes));
      socket.once('end', resolve).once('error', reject);
      socket.resume();
      socket.end('GET / HTTP/1.1\r\n\r\n');
    });
    return Buffer.concat(parts).toString() === page ? 'works' : 'another page';
  } catch (error) {
    return failureOf(error).code;
  }
}

async function associateThrough(upstream: Upstream): Promise<string> {
  try {
    (await udpAssociate(upstream, { deadlineMs })).close();
    return 'works';
  } catch (error) {
    return failureOf(error).code;
  }
}

describe('a hostile proxy', () => {
  it('has a name of its own', () => {
    const names = everyBehaviour.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.concurrent.each(behaviours.map((behaviour) => [behaviour.name, behaviour] as const))(
    '%s: is judged rightly and in time',
    async (_name, behaviour) => {
      const start = performance.now();
      const verdict = await withBehaviour(behaviour, fetchThrough);
      expect(verdict).toSatisfy((found: string) => isRight(behaviour, found), behaviour.expected);
      expect(performance.now() - start).toBeLessThan(deadlineMs + 1_500);
    },
  );

  it.concurrent.each(udpBehaviours.map((behaviour) => [behaviour.name, behaviour] as const))(
    '%s: its association is judged rightly',
    async (_name, behaviour) => {
      expect(await withBehaviour(behaviour, associateThrough)).toBe(behaviour.expected);
    },
  );
});
