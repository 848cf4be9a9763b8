/**
 * The host's own resolvers, for lanes that are direct: the engine lives in the host namespace, so a stub on
 * the loopback is as good as any.
 *
 * Does: asks them in turn by UDP, and again by TCP where an answer was truncated.
 * Must not: be used by a lane that has a proxy.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import type { CacheOptions } from './cache.ts';
import { forwardedQuery } from './message.ts';
import type { Query } from './message.ts';
import { StreamExchange } from './remote.ts';
import { CachingResolver, checkAnswer, defaultDeadlineMs } from './resolver.ts';
import type { Checked, Exchange } from './resolver.ts';
import { flag, rcode } from './wire.ts';

export interface HostServer {
  /** Textual, IPv6 perhaps with its interface (`fe80::1%eth0`). */
  readonly address: string;
  readonly port: number;
}

export interface HostExchangeOptions {
  /** The servers of the moment, most preferred first; asked for each query, as networks change. */
  readonly servers: () => readonly HostServer[];
  readonly deadlineMs?: number;
}

/** Asks the host's resolvers and caches what they say. */
export class HostResolver extends CachingResolver {
  constructor(options: HostExchangeOptions & CacheOptions) {
    super(new HostExchange(options), options);
  }
}

/** The servers that a resolv.conf(5) names: three at most, 127.0.0.1 if none. */
export function serversOf(resolvConf: string): HostServer[] {
  const addresses = resolvConf
    .split('\n')
    .map((line) => /^nameserver[ \t]+([^ \t#;]+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address) !== 0)
    .slice(0, 3);
  return (addresses.length === 0 ? ['127.0.0.1'] : addresses).map((address) => ({ address, port: 53 }));
}

class HostExchange implements Exchange {
  readonly #servers: () => readonly HostServer[];
  readonly #deadlineMs: number;
  readonly #tries = new Set<AbortController>();
  #isClosed = false;

  constructor(options: HostExchangeOptions) {
    this.#servers = options.servers;
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  }

  /** Every server gets its share of the time, a single one two shares: a datagram may be lost. */
  async ask(query: Query): Promise<Checked> {
    const servers = this.#servers();
    const turns = servers.length === 1 ? [...servers, ...servers] : servers;
    const timeoutMs = this.#deadlineMs / turns.length;
    let refusal: Checked | undefined;
    for (const server of turns) {
      const answer = await this.#try(query, server, timeoutMs);
      if (answer !== undefined && !isRefusal(answer)) return answer;
      refusal = answer ?? refusal;
    }
    if (refusal !== undefined) return refusal;
    throw new CulvertError('dns-failed', { step: 'host', detail: 'no resolver of this computer answered' });
  }

  close(): void {
    this.#isClosed = true;
    for (const attempt of this.#tries) attempt.abort();
  }

  async #try(query: Query, server: HostServer, timeoutMs: number): Promise<Checked | undefined> {
    if (this.#isClosed) return undefined;
    const attempt = new AbortController();
    const timer = setTimeout(() => {
      attempt.abort();
    }, timeoutMs);
    this.#tries.add(attempt);
    try {
      const answer = await askByDatagram(query, server, attempt.signal);
      const isWhole = answer === undefined || (answer.found.flags & flag.truncated) === 0;
      return isWhole ? answer : await askByStream(query, server, timeoutMs, attempt.signal);
    } finally {
      clearTimeout(timer);
      this.#tries.delete(attempt);
    }
  }
}

async function askByStream(
  query: Query,
  server: HostServer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Checked | undefined> {
  const stream = new StreamExchange({ connect: () => connectTo(server, signal), deadlineMs: timeoutMs });
  try {
    return await stream.ask(query);
  } catch {
    // A server that truncates but does not serve streams: the next may.
    return undefined;
  } finally {
    stream.close();
  }
}

/** SERVFAIL and REFUSED: another server may know better (resolv.conf(5) does the same). */
function isRefusal({ found }: Checked): boolean {
  const code = found.flags & 15;
  return code === rcode.serverFailure || code === rcode.refused;
}

/** One datagram from a port of its own; undefined when aborted or when the port is closed. */
function askByDatagram(query: Query, server: HostServer, signal: AbortSignal): Promise<Checked | undefined> {
  return new Promise((resolve) => {
    const id = randomInt(0x1_0000);
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4');
    let isDone = false;
    const finish = (answer: Checked | undefined): void => {
      if (isDone) return;
      isDone = true;
      signal.removeEventListener('abort', abort);
      socket.close();
      resolve(answer);
    };
    const abort = (): void => {
      finish(undefined);
    };
    signal.addEventListener('abort', abort);
    socket.on('error', abort);
    // Connected, so that the kernel takes datagrams from this server only and reports ICMP errors.
    socket.connect(server.port, server.address, () => {
      if (!isDone) socket.send(forwardedQuery(query, id));
    });
    socket.on('message', (message) => {
      const answer = checkAnswer(message, id, query.question);
      if (answer !== undefined) finish(answer);
    });
  });
}

function connectTo(server: HostServer, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.address, port: server.port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
