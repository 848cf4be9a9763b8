/** The pump's own dialogue with a proxy against every hostile SOCKS5 server: the failures of the one in JavaScript. */
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import koffi from 'koffi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FailureCode } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { FakePool } from '../../electron/engine/dns/fake-pool.ts';
import { FlowTable, type Flow } from '../../electron/engine/flows.ts';
import { Native } from '../../electron/engine/native.ts';
import { TcpFlows } from '../../electron/engine/relay/tcp-flows.ts';
import { TcpRelay } from '../../electron/engine/relay/tcp.ts';
import { Meanings } from '../../electron/engine/relay/meanings.ts';
import { ProxyWay } from '../../electron/engine/ways/proxy-way.ts';
import { dial } from '../../electron/engine/upstream/dial.ts';
import { failureOf } from '#shared/failure.ts';
import { type Behaviour, isRight } from './behaviour.ts';
import { behaviours } from './behaviours.ts';
import { page } from './conversation.ts';
import { listen } from './listen.ts';

/** Short, but longer than anything that works needs. */
const dialMs = 700;
const dist = join(import.meta.dirname, '../../dist');
/** A stub listener of the helper's part: bound to 127.0.0.1, listening, nobody's in Node. */
const mintStub = koffi.load(join(dist, 'native/libculvert.so')).func('int cv_mint_stub(int, int, int)') as (
  family: number,
  stream: number,
  port: number,
) => number;

let native: Native;
let flows: TcpFlows;
const ended: Flow[] = [];

beforeAll(() => {
  native = new Native(dist);
  const table = new FlowTable(Date.now, (flow) => {
    if (flow.closedAt !== undefined) ended.push(flow);
  });
  flows = new TcpFlows(native.flows, table, 2, 1024);
});

afterAll(() => {
  native.stopWatching();
});

/** A lane whose way is the upstream: what `use` is given is the port where its app finds every destination. */
async function withLane<T>(lane: string, upstream: Upstream, use: (port: number) => Promise<T>): Promise<T> {
  const { listener, port } = mint();
  const way = new ProxyWay({ mode: 'strict', upstreams: [upstream] }, {});
  const decision = { kind: 'way', way, lasts: true } as const;
  const relay = new TcpRelay(native.flows, flows, listener, {
    lane,
    interception: 'tproxy',
    meanings: new Meanings(new FakePool({ now: () => 0 })),
    judge: () => ({ wantsServerName: false, decide: () => decision, rewrite: (destination) => destination }),
    processOf: () => Promise.resolve(null),
    socketPair: () => native.socketPair(),
    dialMs,
    onDns: (stream) => stream.destroy(),
    onRefused: () => undefined,
  });
  try {
    return await use(port);
  } finally {
    relay.close();
  }
}

/** A listener on some port that nobody has. */
function mint(): { listener: number; port: number } {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const listener = mintStub(4, 1, port);
    if (listener >= 0) return { listener, port };
  }
}

/** What an app reads from the port until the end or a reset. */
function fetchFrom(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const app = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    app.setEncoding('latin1');
    app.on('data', (part: string) => (text += part));
    app.on('end', () => {
      resolve(text);
    });
    app.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'error');
    });
    app.end('GET / HTTP/1.1\r\n\r\n');
  });
}

async function endOf(lane: string): Promise<Flow> {
  for (const until = performance.now() + 5_000; performance.now() < until;) {
    const flow = ended.find((one) => one.lane === lane);
    if (flow !== undefined) return flow;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('the flow did not end');
}

async function withProxy<T>(behaviour: Behaviour, use: (upstream: Upstream) => Promise<T>): Promise<T> {
  const server = await listen(behaviour, 0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  const signIn = behaviour.signIn === true ? { user: 'user', password: 'password' } : {};
  try {
    return await use({ kind: 'socks5', host: '127.0.0.1', port, ...signIn });
  } finally {
    server.close();
  }
}

/** The failure of the dial in JavaScript, for the same proxy. */
async function failureInJavaScript(upstream: Upstream): Promise<{ code: FailureCode; detail?: string }> {
  try {
    const { socket } = await dial(
      upstream,
      { kind: 'ipv4', host: '127.0.0.1', port: 80 },
      { deadlineMs: dialMs },
    );
    socket.destroy();
  } catch (error) {
    return failureOf(error);
  }
  throw new Error('it did not fail');
}

describe('the native dial', () => {
  it.concurrent.each(
    behaviours
      .filter(({ scheme }) => scheme === 'socks5')
      .map((behaviour) => [behaviour.name, behaviour] as const),
  )('%s: is judged as in JavaScript and in time', async (name, behaviour) => {
    await withProxy(behaviour, async (upstream) => {
      const start = performance.now();
      const heard = await withLane(name, upstream, fetchFrom);
      expect(performance.now() - start).toBeLessThan(dialMs + 1_500);
      const flow = await endOf(name);
      const verdict = flow.failure?.code ?? (heard === page ? 'works' : 'another page');
      expect(verdict).toSatisfy((found: string) => isRight(behaviour, found), behaviour.expected);
      if (behaviour.expected === 'works') {
        expect(flow.state).toBe('closed');
        return;
      }
      expect(heard).toBe('ECONNRESET');
      expect(flow.state).toBe('refused');
      if (behaviour.orElse === undefined) expect(flow.failure).toEqual(await failureInJavaScript(upstream));
    });
  });

  it('tells a closed port as the dial in JavaScript does', async () => {
    const upstream = { kind: 'socks5', host: '127.0.0.1', port: 1 } as const;
    expect(await withLane('closed port', upstream, fetchFrom)).toBe('ECONNRESET');
    expect((await endOf('closed port')).failure).toEqual(await failureInJavaScript(upstream));
  });

  it('is used for a proxy given by name once that has been reached', async () => {
    const works = behaviours.find(({ name }) => name === 'SOCKS5: replies with an IPv6 address');
    if (works === undefined) throw new Error('no such behaviour');
    await withProxy(works, async ({ kind, port: proxyPort }) => {
      const upstream = { kind, host: 'localhost', port: proxyPort };
      const way = new ProxyWay({ mode: 'strict', upstreams: [upstream] }, {});
      const destination = { kind: 'ipv4', host: '192.0.2.1', port: 80 } as const;
      expect(way.socks5?.dial(destination)).toBeUndefined();
      const { socket } = await way.dial(destination, { deadlineMs: dialMs });
      socket.destroy();
      expect(way.socks5?.dial(destination)?.proxy.readUInt16BE(16)).toBe(proxyPort);
    });
  });
});
