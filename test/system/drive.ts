/**
 * An engine under load, for tests that look at what stays behind: opens lanes, runs one command in each, and
 * says what this process holds. Started as `drive.cjs PRODUCT PROXY ISOLATION COMMAND…`; each line of standard
 * input is a number of lanes to open and close, at most ten at once; each answer is one line of JSON.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Engine, givenProfile, parseProxyUrl } from '#engine';
import type { Isolation } from '#shared/model.ts';

const [productDir = '', proxy = '', isolation = '', ...command] = process.argv.slice(2);
const atOnce = 10;

async function openOne(engine: Engine): Promise<void> {
  const lane = await engine.openLane({
    name: 'drive',
    apps: ['drive'],
    profile: givenProfile({ upstreams: [parseProxyUrl(proxy)], dns: { mode: 'fake' }, udp: 'allow' }),
    payload: {
      umask: 0o022,
      ignoredSignals: 0n,
      limits: [],
      cwd: '/',
      argv: command as [string, ...string[]],
      env: { PATH: process.env['PATH'] ?? '' },
    },
    terminal: 'none',
    stdio: [0, 2, 2],
  });
  const exit = await lane.exit;
  await lane.empty;
  await lane.close();
  if (exit.kind !== 'code' || exit.code !== 0) throw new Error(`the app ended with ${JSON.stringify(exit)}`);
}

async function openMany(engine: Engine, count: number): Promise<void> {
  for (let left = count; left > 0; left -= atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, left) }, () => openOne(engine)));
  }
}

function held() {
  // What one collection finds to be over, the next gives back to the system.
  for (let collections = 0; collections < 3; collections += 1) globalThis.gc?.();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    rssKiB: Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]),
  };
}

async function main(): Promise<void> {
  const engine = await Engine.start({ isolation: isolation as Isolation, hasTerminal: false, productDir });
  for await (const line of createInterface({ input: process.stdin })) {
    await openMany(engine, Number(line));
    process.stdout.write(`${JSON.stringify({ ...held(), lanes: engine.snapshot().lanes.length })}\n`);
  }
  await engine.close();
}

void main();
