/** UDP and DNS: the same client speaking SOCKS5 UDP itself, without a proxy, and on a lane, in the same run. */
import { internet } from '../../world/addresses.ts';
import { atLeastThat, atMost, median, type Single } from './goals.ts';
import type { Pace } from './rounds.ts';
import { figures, proxy, type Bench, type CulvertRun } from './tools.ts';

const user = 'culvert-a';
const size = 1_200;
const window = 32;

/** Fields of the load tool's answer, by way; each list one value a round. */
type Found = Record<'none' | 'itself' | 'lane', Record<'perS' | 'p50' | 'lost', number[]>>;

type Mode = readonly (string | number)[];

async function measure({ world, tools, culvertRun }: Bench, { rounds, seconds }: Pace): Promise<Found> {
  const empty = (): Found['none'] => ({ perS: [], p50: [], lost: [] });
  const found: Found = { none: empty(), itself: empty(), lane: empty() };
  const plain = (mode: Mode): string[] => tools.load(['udp', ...mode]);
  const itself = (mode: Mode): string[] => tools.load(['udp-socks', proxy.address, proxy.port, ...mode]);
  const ways = [
    { into: found.none, command: plain },
    { into: found.itself, command: itself },
  ];
  if (culvertRun !== undefined) ways.push({ into: found.lane, command: (mode) => culvertRun(plain(mode)) });
  for (let round = 0; round < rounds; round++) {
    for (const { into, command } of ways) {
      const flood = await figures(world, command([window, size, seconds]), { user });
      const single = await figures(world, command([1, size, seconds]), { user });
      const paced = await figures(world, command([1, size, seconds, 20_000]), { user });
      into.perS.push(flood['per_s'] ?? NaN);
      into.p50.push(single['p50_us'] ?? NaN);
      into.lost.push(paced['lost'] ?? NaN);
    }
  }
  return found;
}

/** UDP figures; those of a lane only when there is a Culvert. */
export async function udp(bench: Bench, pace: Pace): Promise<Single[]> {
  const { none, itself, lane } = await measure(bench, pace);
  const perS = `datagrams/s of ${size} bytes`;
  const list: Single[] = [
    { name: `UDP, no proxy: ${window} on their way`, value: median(none.perS), unit: perS },
    { name: `UDP, client speaks SOCKS5: ${window} on their way`, value: median(itself.perS), unit: perS },
    { name: 'UDP, no proxy: round trip p50', value: median(none.p50), unit: 'µs' },
    { name: 'UDP, client speaks SOCKS5: round trip p50', value: median(itself.p50), unit: 'µs' },
    { name: 'UDP, client speaks SOCKS5: lost at 20,000/s', value: median(itself.lost), unit: 'datagrams' },
  ];
  if (bench.culvertRun === undefined) return list;
  const limit = Math.round(median(itself.perS) / 2);
  return [
    ...list,
    atLeastThat(`UDP, lane: ${window} on their way`, median(lane.perS), perS, limit),
    atMost('UDP, lane: round trip p50', median(lane.p50), 'µs', Math.round(median(itself.p50)) + 60),
    atMost('UDP, lane: lost at 20,000/s', median(lane.lost), 'datagrams', 0),
  ];
}

/** Queries a second that the engine answers by itself (--dns fake), each for a name not asked before. */
export async function dns(
  { world, tools }: Bench,
  culvertRun: CulvertRun,
  { seconds }: Pace,
): Promise<Single[]> {
  const query = [tools.loadProgram, internet.dns4, '53', 'dns', String(window), String(seconds)];
  const lane = await figures(world, culvertRun(query), { user });
  return [
    atLeastThat('DNS in a lane', lane['per_s'] ?? NaN, 'queries/s', 5_000),
    atMost('DNS in a lane: p99', (lane['p99_us'] ?? NaN) / 1000, 'ms', 5),
    atMost('DNS in a lane: unanswered', lane['lost'] ?? NaN, 'queries', 0),
  ];
}
