/**
 * The web server of a world, the same over HTTP and HTTPS:
 * `/` a sentence, `/bytes/N` known content, `/hash` (POST, PUT) "<bytes> <sha256>" of the body,
 * `/peer` the address the request came from, `/files/…` the files of the world's `www` directory.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join, normalize } from 'node:path';
import { contentStream } from '../content.ts';
import type { Seen } from './protocol.ts';

export const greeting = 'This is the internet of the test.\n';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export function serveWeb(files: string, note: (socket: Socket, asked: string) => Seen): Handler {
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://test').pathname;
    const entry = note(request.socket, `${request.method ?? ''} ${path}`);
    request.on('data', (bytes: Buffer) => (entry.bytes += bytes.length));
    const bytes = /^\/bytes\/([0-9]{1,12})$/.exec(path)?.[1];
    if (path === '/') return void response.end(greeting);
    if (path === '/peer') return void response.end(`${entry.peer}\n`);
    if (path === '/hash') return void hashBody(request, response);
    if (bytes !== undefined) return void sendContent(response, Number(bytes));
    if (path.startsWith('/files/')) return void sendFile(response, join(files, normalize(path.slice(6))));
    response.writeHead(404).end('not here\n');
  };
}

function hashBody(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (bytes: Buffer) => {
    hash.update(bytes);
    length += bytes.length;
  });
  request.on('end', () => response.end(`${length} ${hash.digest('hex')}\n`));
}

function sendContent(response: ServerResponse, length: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  const stream = contentStream(length);
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

function sendFile(response: ServerResponse, path: string): void {
  try {
    response.writeHead(200, { 'content-length': statSync(path).size });
    createReadStream(path).pipe(response);
  } catch {
    response.writeHead(404).end('no such file\n');
  }
}
