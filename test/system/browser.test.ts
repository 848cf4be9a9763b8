/** A real Chromium on a lane: with its own sandbox, its own resolver, and QUIC that cannot go. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../world/addresses.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { World } from '../world/world.ts';

const sentence = 'This is the internet of the test.';
const quicPort = 8443;

/**
 * A server that promises HTTP/3 at its own port (Alt-Svc, RFC 7838) and has none: what its page needs next
 * is asked for by QUIC first, as the connection of the page is not kept.
 */
const promising = `
const { readFileSync } = require('node:fs');
const options = { key: readFileSync(process.argv[1]), cert: readFileSync(process.argv[2]) };
const pages = {
  '/': ['text/html', '<body>waiting<script src="/next.js"></script>'],
  '/next.js': ['text/javascript', "document.body.textContent = 'by TCP';"],
};
require('node:https').createServer(options, (request, response) => {
  const [type, text] = pages[request.url] ?? ['text/plain', ''];
  response.writeHead(200, {
    'alt-svc': 'h3=":${quicPort}"; ma=60', 'content-type': type, connection: 'close', 'cache-control': 'no-store',
  });
  response.end(text);
}).listen(${quicPort}, '::', () => console.log('listening'));
`;

let world: World;
let product: Product;
let proxy: Proxy;
let capture: Capture;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  capture = await world.capture();
  const { key, certificate } = world.certificates;
  await world
    .spawn([process.execPath, '-e', promising, key, certificate], { at: 'internet' })
    .says(/listening/);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** One event of Chromium's log of its network (net/log); milliseconds of one clock. */
interface NetEvent {
  readonly time: number;
  readonly name: string;
  readonly source: number;
  /** Whether it is the end of something that has a duration. */
  readonly isEnd: boolean;
  readonly params: Record<string, unknown>;
}

/** The command that prints the loaded page; it writes its log to net.json in the user's home directory. */
function chromium(url: string): string[] {
  const der = execFileSync('openssl', ['x509', '-in', world.certificates.certificate, '-pubkey', '-noout']);
  const key = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: der });
  const pin = createHash('sha256').update(key).digest('base64');
  return [
    'chromium',
    ...['--headless', '--disable-gpu', '--no-first-run', '--enable-quic', '--dump-dom'],
    ...[
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-extensions',
    ],
    ...['--user-data-dir=chromium', '--log-net-log=net.json', `--ignore-certificate-errors-spki-list=${pin}`],
    url,
  ];
}

/** What the browser did; the next one starts afresh. */
function netLog(): NetEvent[] {
  const { home } = world.users['culvert-a'];
  const log = JSON.parse(readFileSync(join(home, 'net.json'), 'utf8')) as {
    constants: { logEventTypes: Record<string, number> };
    events: {
      time: string;
      type: number;
      phase: 0 | 1 | 2;
      source: { id: number };
      params?: Record<string, unknown>;
    }[];
  };
  const names = new Map(Object.entries(log.constants.logEventTypes).map(([name, type]) => [type, name]));
  for (const path of ['net.json', 'chromium']) rmSync(join(home, path), { recursive: true });
  return log.events.map(({ time, type, phase, source, params = {} }) => {
    return { time: Number(time), name: names.get(type) ?? '', source: source.id, isEnd: phase === 2, params };
  });
}

/** The first event that matches; there must be one. */
function firstOf(events: readonly NetEvent[], matcher: (event: NetEvent) => boolean): NetEvent {
  const found = events.find(matcher);
  if (found === undefined) throw new Error(`the browser's log has no event for ${String(matcher)}`);
  return found;
}

async function forget(): Promise<void> {
  await Promise.all([world.internet.forget(), capture.clear()]);
}

/** From whom queries came, and which. */
async function asked(): Promise<{ peer: string; asked: string }[]> {
  const seen = (await world.internet.seen()).filter(({ port }) => port === 53);
  return seen.map(({ peer, asked: question = '' }) => ({ peer, asked: question }));
}

describe.each(isolations)('Chromium on a lane (%s)', (isolation) => {
  test('loads a page by name, by its own resolver and in its own sandbox, and nothing else leaves', async () => {
    const name = `browser-${isolation}.example.test`;
    const command = chromium(`https://${name}/`);
    await forget();
    const outcome = await product.run(command, { proxy: proxy.url, isolation });
    expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining(sentence)]);
    const transactions = netLog().filter(
      (event) => event.name === 'DNS_TRANSACTION' && event.params['hostname'] === name,
    );
    expect(new Set(transactions.map(({ params }) => params['query_type']))).toEqual(new Set([1, 28, 65]));
    expect(proxy.process.stderr).toContain(`connected to ${name}:443`);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    expect((await asked()).filter(({ peer }) => peer === host.v4)).toEqual([]);

    // The positive control: outside of a lane its queries are seen.
    await forget();
    const outside = await world.run(command, { user: 'culvert-a' });
    expect(outside.stdout).toContain(sentence);
    expect(await asked()).toContainEqual({ peer: host.v4, asked: `UNKNOWN_65 ${name}` });
    expect(await capture.leaks(proxy.exceptions)).not.toEqual([]);
    netLog();
  });

  test('QUIC that the proxy cannot carry gives way to TCP within a second', async () => {
    const command = chromium(`https://quic-${isolation}.example.test:${quicPort}/`);
    await forget();
    const outcome = await product.run(command, { proxy: proxy.url, isolation });
    expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining('by TCP')]);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    const events = netLog();
    const first = firstOf(events, ({ name }) => name === 'QUIC_SESSION_PACKET_SENT');
    const refused = firstOf(events, ({ name }) => name === 'QUIC_SESSION_CLOSED');
    expect(refused.params['details']).toMatch(/ERR_CONNECTION_REFUSED|error: -102/);
    const { source } = firstOf(events, ({ params }) => String(params['url']).endsWith('/next.js'));
    const isDone = (event: NetEvent) =>
      event.source === source && event.name === 'REQUEST_ALIVE' && event.isEnd;
    const [refusedMs, doneMs] = [refused, firstOf(events, isDone)].map(({ time }) => time - first.time);
    console.info(`${isolation}: QUIC refused after ${refusedMs} ms, loaded by TCP after ${doneMs} ms`);
    expect([refusedMs, doneMs].every((ms) => ms !== undefined && ms < 1000)).toBe(true);

    // The positive control: outside of a lane it does try QUIC.
    await capture.clear();
    const outside = await world.run(command, { user: 'culvert-a' });
    expect(outside.stdout).toContain('by TCP');
    const quic = await capture.packets(
      ({ proto, destinationPort }) => proto === 'udp' && destinationPort === quicPort,
    );
    expect(quic).not.toEqual([]);
    netLog();
  });
});
