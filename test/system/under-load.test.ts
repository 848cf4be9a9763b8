/** A lane whose profile is switched while it works hard, and proxies that come, go and hang while it does. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { LaneShell } from './lane-shell.ts';
import { fetchPage, hears, PolicyStage, said } from './policy-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let stage: PolicyStage;

beforeAll(async () => {
  stage = await PolicyStage.open();
});
afterAll(async () => {
  await stage.world[Symbol.asyncDispose]();
});
beforeEach(() => stage.begin());
afterEach(() => stage.expectNoLeaks());

/** How often a proxy was asked for names that begin so, by their numbers. */
function asked({ process }: Proxy, prefix: string): string[] {
  const pattern = new RegExp(`connected to (${prefix}-[0-9]+)\\.example\\.test:`, 'g');
  return [...process.stderr.matchAll(pattern)].map(([, name = '']) => name);
}

/** A line for a lane's shell: it gets a page over and over, eight at a time, until the file is gone. */
const load = (prefix: string) =>
  `touch ~/load; /usr/bin/python3 -c '
import concurrent.futures, os, socket, urllib.request
every = socket.getaddrinfo
# One address to a name, so that nothing is tried a second time.
socket.getaddrinfo = lambda *words, **more: [one for one in every(*words, **more) if one[0] == socket.AF_INET]
path = os.path.expanduser("~/load")
def work(at):
    told, n = {}, 0
    while os.path.exists(path):
        try: result = "whole" if urllib.request.urlopen(f"http://${prefix}-{at * 100000 + n}.example.test/", timeout=15).read() == ${JSON.stringify(greeting)}.encode() else "cut"
        except OSError as error: result = type(getattr(error, "reason", error)).__name__
        told[result] = told.get(result, 0) + 1
        n += 1
    return told
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for told in pool.map(work, range(8)): print("told", told, flush=True)
' &
`;

/** What became of all that the load asked for, once it is told to end. */
async function endOf(lane: LaneShell): Promise<Record<string, number>> {
  await lane.must('rm ~/load');
  const told = () => [...lane.running.stdout.matchAll(/^told (\{.*\})$/gm)].map(([, text = '']) => text);
  const all = await until('the load to end', () => (told().length === 8 ? told() : undefined), 30_000);
  const sums: Record<string, number> = {};
  for (const text of all)
    for (const [result, count] of Object.entries(JSON.parse(text.replaceAll("'", '"')) as object))
      sums[result] = (sums[result] ?? 0) + Number(count);
  return sums;
}

test('an app that is switched under load goes the new way at once, each time, and is cut nowhere but there', async () => {
  // All that a load is made of is more than a capture can keep; what matters is what goes elsewhere.
  await stage.captureAnew(`not host ${stage.one.address}`);
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  lane.running.write(load('load'));
  await until('the load to run', () => asked(stage.one, 'load').length > 20);
  const ways = [stage.one, stage.two] as const;
  for (let round = 1; round <= 10; round += 1) {
    const [now, before] = round % 2 === 1 ? [stage.two, stage.one] : [stage.one, stage.two];
    await stage.switchTo(lane, now === stage.two ? 'two' : 'one');
    // Everything that begins after the answer goes the new way: this one, and all of the load.
    const first = asked(now, 'load').length;
    expect(await lane.must(fetchPage(`mark-${round}.example.test`))).toBe(greeting);
    await hears(now, `mark-${round}.example.test`);
    expect(said(before, `mark-${round}.example.test`)).toBe(false);
    await until('the load to go on', () => asked(now, 'load').length > first + 20);
    const still = asked(before, 'load').length;
    await until('more of it', () => asked(now, 'load').length > first + 60);
    expect(asked(before, 'load').length).toBe(still);
  }
  const sums = await endOf(lane);
  // No page is half of one, and what was open at a switch is a reset: as many as were at once, at most.
  expect(sums['cut'] ?? 0).toBe(0);
  expect(sums['whole']).toBeGreaterThan(600);
  const failed = Object.entries(sums).filter(([result]) => result !== 'whole');
  for (const [result] of failed) expect(result).toMatch(/^(ConnectionResetError|RemoteDisconnected)$/);
  expect(failed.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(10 * 8);
  // Nothing was asked for twice, on either way or on both.
  const names = ways.flatMap((proxy) => asked(proxy, 'load'));
  expect(new Set(names).size).toBe(names.length);
});

describe('a proxy that comes and goes', () => {
  test('refuses everything while it is away, and works with the first connection after it is back, ten times', async () => {
    let proxy = await stage.world.proxy('microsocks');
    const { port } = proxy;
    stage.allowed.push(...proxy.exceptions);
    writeConfig(stage.world, { profiles: [stage.profileOne({ chain: { servers: [serverOf(proxy)] } })] });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    for (let round = 1; round <= 10; round += 1) {
      expect(await lane.must(fetchPage(`here-${round}.example.test`))).toBe(greeting);
      await hears(proxy, `here-${round}.example.test`);
      await stage.isHealth(lane, 'reachable');
      await proxy.kill();
      // Where the lane refuses by then, curl names the error only with -v.
      const { output } = await lane.run(`${fetchPage(`gone-${round}.example.test`)} -v`);
      expect(output).toMatch(/reset|refused/i);
      await stage.isHealth(lane, 'unreachable');
      proxy = await stage.world.proxy('microsocks', { port });
    }
    expect(await lane.must(fetchPage('last.example.test'))).toBe(greeting);
    await stage.isHealth(lane, 'reachable');
  });

  test('is looked for while a lane uses it, and not any more when none does', async () => {
    const proxy = await stage.world.proxy('microsocks');
    stage.allowed.push(...proxy.exceptions);
    const own = stage.profileOne({ chain: { servers: [serverOf(proxy)] } });
    writeConfig(stage.world, { profiles: [own, stage.profileTwo()] });
    const looks = () => stage.capture.packets(({ destinationPort }) => destinationPort === proxy.port);
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    await proxy.kill();
    await lane.run(fetchPage('away.example.test'));
    await stage.isHealth(lane, 'unreachable');
    await stage.capture.clear();
    await until('looks of its own', async () => (await looks()).length > 2);
    await stage.switchTo(lane, 'two');
    await stage.capture.clear();
    // More than twice the pause between two looks.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await looks()).toEqual([]);
  });

  test('has its place taken by a second chain each time, and gets it back, and nothing fails meanwhile', async () => {
    let proxy = await stage.world.proxy('microsocks');
    const { port } = proxy;
    stage.allowed.push(...proxy.exceptions);
    const failing = {
      ...stage.profileOne({ chain: { servers: [serverOf(proxy)] } }),
      failure: { policy: 'failover', profile: 'two' },
    };
    writeConfig(stage.world, { profiles: [failing, stage.profileTwo()] });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    for (let round = 1; round <= 5; round += 1) {
      await until('the first chain to be taken', async () => {
        const name = `back-${round}-${Date.now()}.example.test`;
        expect(await lane.must(fetchPage(name))).toBe(greeting);
        return said(proxy, name);
      });
      await proxy.kill();
      expect(await lane.must(fetchPage(`away-${round}.example.test`))).toBe(greeting);
      await hears(stage.two, `away-${round}.example.test`);
      proxy = await stage.world.proxy('microsocks', { port });
    }
  });
});

test('a proxy that hangs is left for the second chain, and taken again when it goes on', async () => {
  const proxy = await stage.world.proxy('microsocks');
  stage.allowed.push(...proxy.exceptions);
  const failing = {
    ...stage.profileOne({ chain: { servers: [serverOf(proxy)] } }),
    failure: { policy: 'failover', profile: 'two' },
  };
  writeConfig(stage.world, { profiles: [failing, stage.profileTwo()] });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  expect(await lane.must(fetchPage('before.example.test'))).toBe(greeting);
  await hears(proxy, 'before.example.test');
  // Its kernel still takes connections for it.
  proxy.process.kill('SIGSTOP');
  for (let round = 1; round <= 5; round += 1) {
    expect(await lane.must(fetchPage(`hanging-${round}.example.test`))).toBe(greeting);
    await hears(stage.two, `hanging-${round}.example.test`);
  }
  proxy.process.kill('SIGCONT');
  await until('the first chain to be taken', async () => {
    const name = `again-${Date.now()}.example.test`;
    expect(await lane.must(fetchPage(name))).toBe(greeting);
    return said(proxy, name);
  });
});
