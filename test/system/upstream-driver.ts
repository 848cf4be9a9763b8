/**
 * The ways through upstreams, from inside a world: each line of standard input is a request as JSON, each line of
 * output its answer, in the same order. One chain is kept per specification, so that it can remember. Started as
 * `upstream-driver.cjs PRODUCT`.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { createInterface } from 'node:readline';
import { failureOf, type Failure } from '#shared/failure.ts';
import { Native } from '../../electron/engine/native.ts';
import { socksAddress } from '../../electron/engine/relay/udp-address.ts';
import { ChainDialler, type ChainSpec } from '../../electron/engine/upstream/chain.ts';
import { destinationOf } from '../../electron/engine/upstream/destination.ts';

export interface DriverRequest {
  readonly spec: ChainSpec;
  readonly protocol?: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly say: string;
  /** Milliseconds for the dial. */
  readonly deadlineMs?: number;
  /** How many connections side by side; the answer is that of the last. */
  readonly times?: number;
}

export interface DriverAnswer {
  readonly got?: string;
  readonly kind?: 'socket' | 'stream';
  readonly via?: string;
  readonly layers?: number;
  readonly failure?: Failure;
  readonly ms: number;
}

const [productDir = ''] = process.argv.slice(2);
const native = new Native(productDir);
const chains = new Map<string, ChainDialler>();

function chainOf(spec: ChainSpec): ChainDialler {
  const key = JSON.stringify(spec);
  const known = chains.get(key);
  if (known !== undefined) return known;
  const chain = new ChainDialler(spec, {
    tcpSocketOn: (family, device) => native.tcpSocketOn(family, device),
  });
  chains.set(key, chain);
  return chain;
}

/** Says something to a server that echoes, and reads until that is back or the end. Not all proxies know half-closes. */
async function overTcp({ spec, host, port, say, deadlineMs = 5000 }: DriverRequest) {
  const dialled = await chainOf(spec).dial(destinationOf(host, port), { deadlineMs });
  const { socket, kind, via } = dialled;
  let got = dialled.early.toString();
  const isBack = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
      if (got.length >= say.length) resolve();
    });
    socket.on('error', reject).on('end', resolve);
  });
  socket.resume();
  socket.write(say);
  await isBack;
  socket.destroy();
  return { got, kind, via };
}

/** Sends one datagram and waits for one; the answer's headers are checked against what was sent. */
async function overUdp({ spec, host, port, say, deadlineMs = 5000 }: DriverRequest) {
  const association = await chainOf(spec).associate({ deadlineMs });
  const { relay, layers, via } = association;
  const headers = [...layers, socksAddress(destinationOf(host, port))];
  const wrapped = headers.map((address) => Buffer.concat([Buffer.of(0, 0, 0), address]));
  const socket = createSocket(isIPv6(relay.address) ? 'udp6' : 'udp4');
  try {
    socket.send(Buffer.concat([...wrapped, Buffer.from(say)]), relay.port, relay.address);
    const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(deadlineMs) })) as [Buffer];
    return { got: unwrapped(bytes, headers.length), via, layers: layers.length };
  } finally {
    socket.close();
    association.close();
  }
}

/** Takes headers with addresses of four or sixteen bytes away (RFC 1928 §7). */
function unwrapped(bytes: Buffer, headers: number): string {
  if (headers === 0) return bytes.toString();
  const length = bytes[3] === 1 ? 10 : bytes[3] === 4 ? 22 : 7 + (bytes[4] ?? 0);
  return unwrapped(bytes.subarray(length), headers - 1);
}

async function answer(request: DriverRequest): Promise<DriverAnswer> {
  const begin = performance.now();
  const ms = (): number => Math.round(performance.now() - begin);
  try {
    const act = request.protocol === 'udp' ? overUdp : overTcp;
    const all = await Promise.all(Array.from({ length: request.times ?? 1 }, () => act(request)));
    return { ...all.at(-1), ms: ms() };
  } catch (error) {
    return { failure: failureOf(error), ms: ms() };
  }
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as DriverRequest))}\n`);
  }
  native.stopWatching();
}

void main();
