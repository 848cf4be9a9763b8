/**
 * `culvert check` on real lanes. What it says is held against what the servers of the world saw; and, its own positive
 * control, a lane that leaks and a process that is not on it have to be found.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CheckReport } from '#shared/model.ts';
import { Hostile } from '../hostile/hostile.ts';
import { host, internet } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Outcome } from '../world/running.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { LaneShell } from './lane-shell.ts';
import { outcomes, probe, profileOf, urlServer } from './reports.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let hostile: Hostile;
let dante: Proxy;
let microsocks: Proxy;
let tinyproxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  hostile = await Hostile.start(world);
  dante = await world.proxy('dante');
  microsocks = await world.proxy('microsocks');
  tinyproxy = await world.proxy('tinyproxy');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const culvert = (...args: string[]): Promise<Outcome> =>
  world.run([product.culvert, ...args], { user: 'culvert-a' });

async function laneOf(shell: LaneShell): Promise<string> {
  const { stdout } = await culvert('ps', '--json');
  const { lanes } = JSON.parse(stdout) as { lanes: { readonly id: string }[] };
  const found = lanes.find(({ id }) => id.startsWith(`${shell.running.pid}-`));
  if (found === undefined) throw new Error(`no such lane in ${stdout}`);
  return found.id;
}

/** The report about a running lane, and the exit status. */
async function checkLane(shell: LaneShell, ...options: string[]) {
  const id = await laneOf(shell);
  const { stdout, stderr, code } = await culvert('check', id, '--json', ...options);
  if (stdout === '') throw new Error(`no report: ${stderr}`);
  const report = JSON.parse(stdout) as CheckReport;
  return { ...report, stderr, code, found: outcomes(report) };
}

describe.each(isolations)('culvert check on a lane of the kind %s', (isolation) => {
  beforeEach(() => {
    writeConfig(world, {
      probe,
      profiles: [
        profileOf('dante', [serverOf(dante)]),
        profileOf('microsocks', [serverOf(microsocks)]),
        profileOf('tinyproxy', [serverOf(tinyproxy)]),
        profileOf('dead', [urlServer(hostile.deadUrl)]),
      ],
    });
  });

  test('finds a lane in order, by what Culvert itself has seen, and sends nothing beside the proxy', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dante', isolation });
    await using capture = await world.capture();
    const begin = performance.now();
    const { found, exitAddress, lines, code } = await checkLane(shell);
    expect(performance.now() - begin).toBeLessThan(6000);
    expect(found).toEqual({
      reach: 'ok',
      dns: 'ok',
      web: 'ok',
      'exit-address': 'ok',
      ipv6: 'ok',
      udp: 'ok',
      isolation: 'ok',
      bypass: 'ok',
    });
    expect([internet.proxy4, internet.proxy6]).toContain(exitAddress);
    expect(lines.at(-1)).toMatchObject({ stage: 'bypass', outcome: 'ok' });
    expect(code).toBe(0);
    const others = await capture.packets(
      ({ source, destination }) => ![source, destination].includes(internet.proxy4),
    );
    expect(describePackets(others)).toBe('');
  });

  test.each(['microsocks', 'tinyproxy'])(
    'calls UDP refused that %s does not offer, also the second time',
    async (profile) => {
      await using shell = await LaneShell.open(product, { profile, isolation });
      for (let round = 0; round < 2; round += 1) {
        const { found, lines, code } = await checkLane(shell);
        expect(found).toMatchObject({ web: 'ok', udp: 'refused', isolation: 'ok', bypass: 'ok' });
        expect(lines.find(({ stage }) => stage === 'udp')?.text).toContain('does not offer UDP');
        expect(code).toBe(0);
      }
    },
  );

  test('exits with 4 when the proxy is gone, and calls that no leak', async () => {
    await using short = await world.proxy('dante');
    writeConfig(world, { probe, profiles: [profileOf('short', [serverOf(short)])] });
    await using shell = await LaneShell.open(product, { profile: 'short', isolation });
    await short.kill();
    const { found, outcome, code, stderr } = await checkLane(shell);
    expect(found).toMatchObject({ reach: 'failed', web: 'failed', isolation: 'ok', bypass: 'ok' });
    expect(outcome).toBe('failed');
    expect(code).toBe(4);
    expect(stderr).toContain("can't reach the proxy");
  });

  test('says within its time that a proxy is silent', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dead', isolation });
    const begin = performance.now();
    const { found, code } = await checkLane(shell);
    expect(performance.now() - begin).toBeLessThan(6000);
    expect(found).toMatchObject({ reach: 'failed', web: 'unknown', isolation: 'ok' });
    expect(code).toBe(4);
  });

  test('does not guess where the page cannot be reached', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dante', isolation });
    const { found, outcome, exitAddress, lines, stderr, code } = await checkLane(
      shell,
      '--url',
      `http://${internet.web4}:4444/`,
    );
    expect(found).toMatchObject({ reach: 'ok', web: 'unknown', isolation: 'ok' });
    expect(lines.find(({ stage }) => stage === 'web')?.failure?.code).toBe('probe-unreachable');
    expect(exitAddress).toBeUndefined();
    expect(outcome).toBe('unknown');
    expect(stderr).toContain('this says nothing about leaks');
    expect(code).toBe(1);
  });

  test('finds all blocked where the profile lets nothing out, and that is as it should be', async () => {
    await using shell = await LaneShell.open(product, { profile: 'none', isolation });
    const { found, code } = await checkLane(shell);
    expect(found).toMatchObject({ web: 'refused', udp: 'refused', isolation: 'ok', bypass: 'ok' });
    expect(code).toBe(0);
  });

  test('says of the direct profile that the address is this computer’s own', async () => {
    await using shell = await LaneShell.open(product, { profile: 'direct', isolation });
    const { found, exitAddress, code } = await checkLane(shell);
    expect(found).toMatchObject({ web: 'ok', isolation: 'ok', bypass: 'ok' });
    expect([host.v4, host.v6]).toContain(exitAddress);
    expect(code).toBe(0);
  });

  test('checks a profile by an app that only waits, and leaves nothing behind', async () => {
    const before = world.netNamespaces().size;
    const { stdout, stderr, code } = await culvert(
      'check',
      '-p',
      'dante',
      '--isolation',
      isolation,
      '--compare',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^web +ok .*through socks5:/m);
    expect(stdout).toMatch(
      /^exit-address +ok .*this computer’s own address is (192\.0\.2\.10|2001:db8::10)$/m,
    );
    expect(code).toBe(0);
    expect(world.netNamespaces().size).toBe(before);
  });
});

describe.each(isolations)('a leak of a lane of the kind %s', (isolation) => {
  beforeEach(() => {
    writeConfig(world, { probe, profiles: [profileOf('dante', [serverOf(dante)])] });
  });

  test('by an interface to somewhere else is found, and exits with 7', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dante', isolation });
    const inside = `nsenter --net=/proc/${await shell.pid()}/ns/net`;
    await world.shell(`
      sysctl -qw net.ipv4.ip_forward=1
      nft 'add table ip leak; add chain ip leak out { type nat hook postrouting priority 100; }'
      nft 'add rule ip leak out ip saddr 10.99.0.2 masquerade'
      ip link add leak0 type veth peer name leak1 netns ${await shell.pid()}
      ip address add 10.99.0.1/30 dev leak0
      ip link set leak0 up
      ${inside} ip address add 10.99.0.2/30 dev leak1
      ${inside} ip link set leak1 up
      ${inside} ip route replace default via 10.99.0.1`);
    try {
      const { found, outcome, stderr, code } = await checkLane(shell);
      expect(found).toMatchObject({ dns: 'leak', web: 'leak', isolation: 'unknown', bypass: 'leak' });
      expect(outcome).toBe('leak');
      expect(stderr).toContain('a leak was found');
      expect(code).toBe(7);
    } finally {
      await world.shell('nft delete table ip leak; sysctl -qw net.ipv4.ip_forward=0');
    }
  });

  test('is not made of an interface that leads nowhere; that it is there is said', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dante', isolation });
    const inside = `nsenter --net=/proc/${await shell.pid()}/ns/net`;
    await world.shell(`${inside} ip link add odd0 type veth peer name odd1`);
    const { found, lines, code } = await checkLane(shell);
    expect(found).toMatchObject({ web: 'ok', isolation: 'unknown', bypass: 'ok' });
    expect(lines.find(({ stage }) => stage === 'isolation')?.text).toContain('odd0');
    expect(code).toBe(1);
  });

  test('is not made of a process in a network of its own, as sandboxes of browsers are', async () => {
    await using shell = await LaneShell.open(product, { profile: 'dante', isolation });
    const sandbox = await shell.must('unshare --user --net sleep 60 >/dev/null 2>&1 & echo $!');
    await until('the sandbox to be there', async () => {
      const { lines } = await checkLane(shell);
      return lines.some(
        ({ stage, text }) => stage === 'isolation' && text.includes('1 in networks of their own'),
      );
    });
    expect((await checkLane(shell)).code).toBe(0);
    await shell.must(`kill ${sandbox}`);
  });
});
