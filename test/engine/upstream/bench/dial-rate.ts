/**
 * How fast `dial` is alone, without a lane: sequential p50 and connects per second at 50 at once, against a
 * SOCKS5 server in another process. Not part of the tests:
 *
 *   npx esbuild test/engine/upstream/bench/dial-rate.ts --bundle --platform=node --format=cjs --outfile=dist/test/dial-rate.cjs
 *   node dist/test/dial-rate.cjs [seconds [port of another SOCKS5 server on 127.0.0.1]]
 *
 * `raw` is the floor: the same bytes on bare sockets of Node without checks, promise or deadline.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import type { Upstream } from '#shared/model.ts';
import { dial } from '../../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../../electron/engine/upstream/destination.ts';

const greeting = Buffer.from([5, 0]);
const granted = Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 80]);

if (process.argv.includes('--serve')) serve();
else void measure(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 0));

/** Says yes to everything and closes when the client does. */
function serve(): void {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', () => {
      client.write(greeting);
      client.once('data', () => client.write(granted));
    });
  });
  server.listen(0, '127.0.0.1', 1024, () => process.send?.((server.address() as AddressInfo).port));
}

async function measure(seconds: number, given: number): Promise<void> {
  const child = given === 0 ? fork(process.argv[1] ?? '', ['--serve']) : undefined;
  const port = child === undefined ? given : ((await once(child, 'message')) as [number])[0];
  const upstream: Upstream = { kind: 'socks5', host: '127.0.0.1', port };
  const destination = destinationOf('198.51.100.7', 443);
  const ways: Record<string, () => Promise<void>> = {
    raw: () => raw(port),
    dial: async () => {
      const { socket } = await dial(upstream, destination);
      socket.resetAndDestroy();
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    await atOnce(way, 50, 1);
    const p50 = await sequential(way, seconds);
    const before = process.cpuUsage();
    const rate = await atOnce(way, 50, seconds);
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / (rate * seconds);
    console.log(
      `${name}: p50 ${p50.toFixed(0)} µs, ${rate.toFixed(0)} connects/s, ${cpu.toFixed(0)} µs of CPU each`,
    );
  }
  child?.kill();
}

async function sequential(way: () => Promise<void>, seconds: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let start = performance.now(); start < end; start = performance.now()) {
    await way();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return (times[times.length >> 1] ?? 0) * 1000;
}

/** Connects per second. */
async function atOnce(way: () => Promise<void>, count: number, seconds: number): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      await way();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
  return (done / (performance.now() - start)) * 1000;
}

function raw(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, autoSelectFamily: false }, () => {
      socket.write(Buffer.from([5, 1, 0]));
    });
    let have = 0;
    socket.on('data', (chunk) => {
      const before = have;
      have += chunk.length;
      if (before < 2 && have >= 2) socket.write(Buffer.from([5, 1, 0, 1, 198, 51, 100, 7, 1, 187]));
      if (have < 12) return;
      socket.resetAndDestroy();
      resolve();
    });
  });
}
