/**
 * The leak matrix: every protocol to every class of destination in every state of a lane, with a capture on all
 * interfaces of the host. What is seen beside the connection to the proxy is a leak. Ends with the table.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, repository } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import type { Packet } from '../world/packets.ts';
import { isolations, Product, type TestedIsolation } from '../world/product.ts';
import type { Servers } from '../world/servers.ts';
import { World } from '../world/world.ts';
import { leaksDocument } from './document.ts';
import { isCarried, isOf } from './evidence.ts';
import { complaintOf, patienceMs, type Standing } from './expected.ts';
import { Prober, type Result } from './prober.ts';
import { probesOf, rows, type Row } from './probes.ts';
import { keep, Matrix } from './report.ts';
import { stateNames, states, stop, type Scene, type State } from './states.ts';

const probe = compile('test/world/probe.c');
const inLane = probesOf('lane');
const outside = probesOf('host');
const rest = 'anything else';
const matrix = new Matrix([...rows, rest], ['no lane', ...stateNames]);
const rootWays = ['an app of root’s', 'root from outside', 'and without the lane’s rules'] as const;
/** What no relay takes, so that the kernel alone has to hold it; vsock is not of any network namespace. */
const unrelayed = rows.filter((row) => !/^(TCP|UDP|DNS)\b(?!-)/.test(row) && row !== 'vsock');
const asRoot = new Matrix([...unrelayed, rest], rootWays);

let world: World;
let product: Product;
let hostServers: Servers;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  hostServers = await world.hostServers();
  // As behind a NAT: what the proxy is asked to reach on this host is not reached from there either.
  await world.shell(
    `nft add table inet nat
     nft 'add chain inet nat out { type filter hook output priority 0; }'
     nft add rule inet nat out oifname != lo ct state new reject`,
    'internet',
  );
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  if (matrix.isComplete && asRoot.isComplete) {
    keep(join(repository, 'build/docs/leaks.md'), leaksDocument(matrix, asRoot, inLane));
  }
  process.stdout.write(
    `\nPackets that left, of probes sent\n\n${matrix.toString()}\n\n${asRoot.toString()}\n\n`,
  );
});

/** The rows one after the other, with what the sender saw. */
async function walkAll(
  prober: Prober,
  standing: Standing,
  walked: readonly Row[] = rows,
): Promise<{ row: Row; result: Result }[]> {
  const all = walked.flatMap((row) => inLane[row].map((each) => ({ row, each })));
  const patience = new Map(
    all.map(({ row, each }) => [each, patienceMs(row, standing, each.reach)] as const),
  );
  const results = await prober.walk(
    all.map(({ each }) => each),
    (each) => patience.get(each) ?? 0,
  );
  return results.map((result, at) => ({ row: all[at]?.row ?? 'TCP', result }));
}

/** Enters every leak into the cell of the protocol that it looks like. */
function enter(into: Matrix, walked: readonly Row[], column: string, leaks: readonly Packet[]): void {
  const turned = (packet: Packet): Packet => ({
    ...packet,
    destination: packet.source,
    destinationPort: packet.sourcePort,
  });
  const rowOf = (packet: Packet): string =>
    walked.find((row) => inLane[row].some((each) => isOf(each, packet) || isOf(each, turned(packet)))) ??
    rest;
  for (const row of walked) into.add(row, column, { leaked: 0, sent: inLane[row].length });
  const sent = walked.reduce((sum, row) => sum + inLane[row].length, 0);
  into.add(rest, column, { leaked: 0, sent });
  for (const packet of leaks) into.add(rowOf(packet), column, { leaked: 1, sent: 0 });
}

test.each(rows)('outside of a lane each probe of %s is seen', async (row) => {
  await using capture = await world.capture();
  await using prober = Prober.start(world, probe, (command) => world.spawn(command));
  const results = await prober.walk(outside[row], () => 50);
  const packets = await capture.packets();
  // No capture sees vsock, which is not IP; what a lane has to refuse is the socket.
  const isSeen = ({ probe: sent, word }: Result): boolean =>
    row === 'vsock' ? word !== 'EAFNOSUPPORT' : packets.some((packet) => isOf(sent, packet));
  matrix.add(row, 'no lane', { leaked: results.filter(isSeen).length, sent: results.length });
  matrix.add(rest, 'no lane', { leaked: 0, sent: 0 });
  expect(results.filter((result) => !isSeen(result))).toEqual([]);
});

describe.each(isolations)('%s', (isolation) => {
  test.each(stateNames)('0 packets leave while %s', async (name) => {
    const state: State = states[name];
    await using proxy = await world.proxy('dante', { signIn: !state.signsIn });
    const url = state.signsIn ? proxy.url : proxy.url.replace(/:[^:@]*@/, ':wrong@');
    await using capture = await world.capture();
    await using prober = Prober.start(world, probe, (command) =>
      product.spawn(command, { proxy: url, isolation, options: ['--quiet'] }),
    );
    const scene: Scene = { world, product, proxy, prober };
    await warmUp(prober, state, isolation);
    const carrier = { address: proxy.address, port: proxy.port, carriesUdp: state.signsIn };

    await state.enter(scene);
    const before = await capture.packets((packet) => !isCarried(packet, carrier));
    await capture.clear();
    await hostServers.forget();
    const [results] = await Promise.all([walkAll(prober, state.standing), state.meanwhile?.(scene)]);
    if (state.meanwhile !== undefined) {
      results.push(...(await walkAll(prober, state.standing)));
      prober.feed(rows.flatMap((row) => inLane[row]));
      await stop(scene, '--force');
      await prober.running.ended;
    }

    const leaks = await capture.packets((packet) => !state.reachesProxy || !isCarried(packet, carrier));
    enter(matrix, rows, name, [...before, ...leaks]);
    expect(describePackets([...before, ...leaks])).toBe('');
    expect(await hostServers.seen()).toEqual([]);
    const complaints = results.map(({ row, result }) => complaintOf(row, state.standing, result));
    expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([]);
  });
});

/** Traffic before the state, where there can be any: its flows are open or fresh when something dies. */
async function warmUp(prober: Prober, state: State, isolation: TestedIsolation): Promise<void> {
  const first = [...inLane.TCP, ...inLane.UDP].filter(({ reach }) => reach === 'public');
  const words = (await prober.walk(first, () => 3000)).map(({ word }) => word);
  if (state.signsIn) expect(words, isolation).toEqual(['answered', 'answered']);
  else expect(words).not.toContain('answered');
}

describe.each(['rootless', 'by root'] as const)('the gateway of a lane that is made %s', (maker) => {
  const user = maker === 'rootless' ? ({ user: 'culvert-a' } as const) : {};

  test('lets nothing through, whoever sends it and whatever rules the lane has lost', async () => {
    await using proxy = await world.proxy('dante');
    const carrier = { address: proxy.address, port: proxy.port, carriesUdp: true };
    const line = [product.culvert, 'run', '--quiet', '--proxy', proxy.url, '--'];
    await using capture = await world.capture();
    await using prober = Prober.start(world, probe, (command) => world.spawn([...line, ...command], user));
    await prober.walk(inLane.vsock, () => 3000);
    const pid = await pidOf(prober.running.pid, user);
    const inside = ['nsenter', `--net=/proc/${pid}/ns/net`];
    await using root = Prober.start(world, probe, (command) => world.spawn([...inside, ...command]));

    const expectNothing = async (way: (typeof rootWays)[number]): Promise<void> => {
      const leaks = await capture.packets((packet) => !isCarried(packet, carrier));
      enter(asRoot, unrelayed, way, leaks);
      expect(describePackets(leaks), way).toBe('');
      await capture.clear();
    };
    if (maker === 'by root') {
      const results = await walkAll(prober, 'served', unrelayed);
      const complaints = results.map(({ row, result }) => complaintOf(row, 'served', result));
      expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([]);
      await expectNothing('an app of root’s');
    }
    const probes = unrelayed.flatMap((row) => inLane[row]);
    await root.walk(probes, () => 5);
    await expectNothing('root from outside');

    await world.must([...inside, 'nft', 'flush', 'ruleset']);
    const before = await sentBy(inside);
    await root.walk(probes, () => 5);
    // The positive control: they went to the gateway.
    const away = probes.filter(({ reach }) => reach !== 'loopback');
    expect((await sentBy(inside)) - before).toBeGreaterThanOrEqual(away.length);
    await expectNothing('and without the lane’s rules');
  });
});

/** The first process of the lane of this engine. */
async function pidOf(engine: number, user: { user?: 'culvert-a' }): Promise<number> {
  const listed = JSON.parse(await world.must([product.culvert, 'ps', '--json'], user)) as {
    lanes: { id: string; pid: number }[];
  };
  const lane = listed.lanes.find(({ id }) => id === `${engine}-1`);
  if (lane === undefined) throw new Error('the lane is not listed');
  return lane.pid;
}

/** Packets that went out by the link of the lane. */
async function sentBy(inside: readonly string[]): Promise<number> {
  const shown = await world.must([...inside, 'ip', '-j', '-s', 'link', 'show', 'app0']);
  const [link] = JSON.parse(shown) as { stats64: { tx: { packets: number } } }[];
  return link?.stats64.tx.packets ?? Number.NaN;
}
