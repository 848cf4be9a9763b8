/**
 * A question over UDP through a chain: an association, one datagram, and the answer to it (RFC 1928 §7).
 *
 * Must not: send to anybody but the association's own relay, or take an answer from anybody else.
 */
import { createSocket, type Socket } from 'node:dgram';
import ipaddr from 'ipaddr.js';
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { socksAddress } from '../relay/udp-address.ts';
import type { ChainDialler } from '../upstream/chain.ts';
import { authorityOf, type Destination } from '../upstream/destination.ts';
import { answerTo, type ResolverAnswer } from './dns-question.ts';

/** A datagram may be lost; it is sent again until the time is over. */
const againMs = 700;

export interface DatagramLimits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** A UDP socket of this process's network; the interface of the chain's egress is its business. */
  readonly socketOn?: ((family: 4 | 6) => number) | undefined;
}

/**
 * Asks the resolver. Rejects like `ChainDialler.associate`, with `dns-failed` when no answer comes back, or with the
 * reason of the signal.
 */
export async function askByUdp(
  chain: ChainDialler,
  resolver: Destination,
  question: Buffer,
  { deadlineMs, signal, socketOn }: DatagramLimits,
): Promise<ResolverAnswer> {
  const begin = performance.now();
  let onEnd: (cause: Error) => void = () => {};
  const association = await chain.associate({ deadlineMs, signal, onEnd: (cause) => onEnd(cause) });
  const { relay, layers } = association;
  const family = relay.address.includes(':') ? 6 : 4;
  const headers = [...layers, socksAddress(resolver)].map((address) =>
    Buffer.concat([Buffer.alloc(3), address]),
  );
  const datagram = Buffer.concat([...headers, question]);
  const socket = await open(family, socketOn);
  let again: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ResolverAnswer>((resolve, reject) => {
      onEnd = reject;
      const leftMs = Math.max(0, deadlineMs - (performance.now() - begin));
      timer = setTimeout(() => reject(silent(resolver, deadlineMs)), leftMs);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      socket.on('error', reject);
      socket.on('message', (bytes, from) => {
        if (from.port !== relay.port || plain(from.address) !== plain(relay.address)) return;
        const payload = withoutHeaders(bytes, headers.length);
        const answer = payload === undefined ? undefined : answerTo(question, payload);
        if (answer !== undefined) resolve(answer);
      });
      const send = (): void => {
        // An error of a single datagram is one that is lost.
        socket.send(datagram, relay.port, relay.address, () => {});
      };
      again = setInterval(send, againMs);
      send();
    });
  } finally {
    clearTimeout(timer);
    clearInterval(again);
    socket.close();
    association.close();
  }
}

/** What is behind that many headers; undefined for fragments and for what is cut short. */
export function withoutHeaders(bytes: Buffer, headers: number): Buffer | undefined {
  let rest = bytes;
  for (let left = headers; left > 0; left -= 1) {
    const [reserved, low, fragment, type, first = 0] = rest;
    const length = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? 1 + first : undefined;
    if (reserved !== 0 || low !== 0 || fragment !== 0 || length === undefined) return undefined;
    if (rest.length < 4 + length + 2) return undefined;
    rest = rest.subarray(4 + length + 2);
  }
  return rest;
}

async function open(family: 4 | 6, socketOn: DatagramLimits['socketOn']): Promise<Socket> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  if (socketOn !== undefined) {
    await new Promise<void>((resolve) => socket.bind({ fd: socketOn(family) }, resolve));
  }
  return socket;
}

function plain(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

function silent(resolver: Destination, ms: number): CulvertError {
  return new CulvertError('dns-failed', {
    detail: phrase('test.udp-late', { where: authorityOf(resolver), seconds: ms / 1000 }),
  });
}
