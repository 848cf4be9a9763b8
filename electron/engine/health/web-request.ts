/**
 * One request for a web page over a connection that is there already.
 *
 * Does: TLS with the page's own server where the URL says https, certificate verified; reads the answer as far as
 * an address could be in it. Must not: follow a redirect, or open a connection of its own.
 */
import { request, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';
import { authorityOf } from '../upstream/destination.ts';
import { refusalOf, secure } from '../upstream/secure.ts';
import type { Dialled } from '../upstream/connection.ts';
import { reasonOf } from './findings.ts';

/** More than any page that answers with an address has. */
const maxBodyBytes = 16 * 1024;

export interface WebAnswer {
  readonly status: number;
  /** The address that the page saw, if it says one. */
  readonly address?: string;
}

/**
 * Asks for the page, and ends the connection. Rejects with `probe-unreachable`, which says how far it came, or with
 * the reason of the signal.
 */
export async function askWeb(
  { socket, early }: Pick<Dialled, 'socket' | 'early'>,
  url: URL,
  signal: AbortSignal,
): Promise<WebAnswer> {
  const streams: Duplex[] = [socket];
  socket.on('error', ignore);
  try {
    signal.throwIfAborted();
    if (early.length > 0) socket.unshift(early);
    let stream: Duplex = socket;
    if (url.protocol === 'https:') {
      stream = await secured(socket, url, streams, signal);
    }
    const answer = await ask(stream, url, signal);
    const address = answer.status < 300 ? addressIn(answer.body) : undefined;
    return { status: answer.status, ...(address === undefined ? {} : { address }) };
  } finally {
    for (const stream of streams) stream.destroy();
  }
}

/** An address alone, or `ip=` and an address on a line of its own; undefined where there is neither. */
export function addressIn(body: string): string | undefined {
  const candidates = [body.trim(), /^[ \t]*ip[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?$/im.exec(body)?.[1]];
  return candidates.find((text) => text !== undefined && isIP(text) !== 0);
}

async function secured(
  below: Dialled['socket'],
  url: URL,
  streams: Duplex[],
  signal: AbortSignal,
): Promise<Duplex> {
  const demand = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), fingerprint: undefined };
  const tls = secure(below, demand);
  streams.unshift(tls);
  await new Promise<void>((resolve, reject) => {
    tls.once('secureConnect', resolve);
    tls.on('error', (error: NodeJS.ErrnoException) =>
      reject(unreachable(phrase('page.no-tls', { words: error.code ?? error.message }))),
    );
    tls.once('close', () => reject(unreachable(phrase('page.closed-during-tls'))));
    onAbort(signal, reject);
  });
  const refusal = refusalOf(tls, demand);
  if (refusal === undefined) return tls;
  const where = authorityOf({ host: demand.host, port: Number(url.port || 443) });
  throw unreachable(phrase('page.certificate', { where, why: reasonOf(refusal.failure) }));
}

function ask(stream: Duplex, url: URL, signal: AbortSignal): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => stream,
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, 'user-agent': 'culvert', accept: '*/*', connection: 'close' },
      maxHeaderSize: 16 * 1024,
      signal,
    });
    // Connections are handed over paused.
    asked.once('socket', () => stream.resume());
    asked.once('response', (answer: IncomingMessage) => {
      void readBody(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      reject(signal.aborted ? (signal.reason as Error) : unreachable(meaningOf(error)));
    });
    asked.end();
  });
}

/** The beginning of the body; one that is cut off says what it says. */
function readBody(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (): void => {
      resolve(Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8'));
    };
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= maxBodyBytes) end();
    });
    answer.once('end', end).once('close', end).on('error', end);
  });
}

function meaningOf({ code = '', message }: NodeJS.ErrnoException): Said {
  if (code.startsWith('HPE_')) return phrase('page.no-http');
  return code === 'ECONNRESET' ? phrase('page.closed') : code || message;
}

function onAbort(signal: AbortSignal, reject: (reason: Error) => void): void {
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
}

function unreachable(detail: Said): CulvertError {
  return new CulvertError('probe-unreachable', { detail });
}

function ignore(): void {}
