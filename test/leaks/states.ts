/** The states of the matrix: how a lane gets into each and what is then left of its network. */
import { readFileSync } from 'node:fs';
import { isAlive } from '../world/cell.ts';
import { internet, ports } from '../world/addresses.ts';
import type { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import type { Standing } from './expected.ts';
import type { Prober } from './prober.ts';
import type { Probe } from './probes.ts';

export interface Scene {
  readonly world: World;
  readonly product: Product;
  readonly proxy: Proxy;
  readonly prober: Prober;
}

export interface State {
  readonly standing: Standing;
  /** Whether the proxy's connection may still be seen. */
  readonly reachesProxy: boolean;
  /** Whether the proxy accepts the sign-in of the lane. */
  readonly signsIn: boolean;
  /** Brings the state about; resolves when it is there. */
  readonly enter: (scene: Scene) => Promise<void>;
  /** What is done while the probes are on their way for the first time. */
  readonly meanwhile?: (scene: Scene) => Promise<unknown>;
}

const stays = (): Promise<void> => Promise.resolve();
const alive = { standing: 'served', reachesProxy: true, signsIn: true, enter: stays } as const;
const dead = { standing: 'no relay', reachesProxy: false, signsIn: true } as const;

export const states = {
  running: alive,
  'engine dead': { ...dead, enter: killEngine },
  'helper dead': { ...alive, enter: killHelper },
  'both dead': {
    ...dead,
    enter: async (scene) => {
      await killHelper(scene);
      await killEngine(scene);
    },
  },
  'proxy down': { ...alive, standing: 'refused', enter: ({ proxy }) => proxy.kill() },
  'sign-in refused': { ...alive, standing: 'refused', signsIn: false },
  'profile switched': { ...alive, enter: switchToSame },
  'no network': { ...alive, standing: 'refused', enter: (scene) => switchTo(scene, 'none') },
  stopping: { ...alive, meanwhile: stop },
} as const satisfies Record<string, State>;
export type StateName = keyof typeof states;
export const stateNames = Object.keys(states) as StateName[];

/** `culvert stop`, which the app of a Prober does not obey; with `--force` it has to. */
export async function stop({ world, product, prober }: Scene, ...options: string[]): Promise<void> {
  const lane = `${prober.running.pid}-1`;
  await world.must([product.culvert, 'stop', ...options, lane], { user: 'culvert-a' });
}

/** `culvert switch`, with what it brings: what is open is reset, and everything is decided anew. */
async function switchTo({ world, product, prober }: Scene, profile: string): Promise<void> {
  const lane = `${prober.running.pid}-1`;
  await world.must([product.culvert, 'switch', lane, profile], { user: 'culvert-a' });
}

/** To no network and back to the same proxy, by a profile of the configuration. */
async function switchToSame(scene: Scene): Promise<void> {
  const servers = [serverOf(scene.proxy)];
  writeConfig(scene.world, { profiles: [{ id: 'same', name: 'Same', chain: { servers } }] });
  await switchTo(scene, 'none');
  await switchTo(scene, 'same');
}

function helperOf({ world }: Scene): number {
  const helpers = world.pids().filter((pid) => commandOf(pid).includes('helper.cjs'));
  if (helpers.length !== 1) throw new Error(`there are ${helpers.length} helpers instead of one`);
  return helpers[0] ?? 0;
}

async function killHelper(scene: Scene): Promise<void> {
  const helper = helperOf(scene);
  process.kill(helper, 'SIGKILL');
  await until('the end of the helper', () => !isAlive(helper));
}

/**
 * Resolves when the kernel has also said goodbye to the proxy for it, and the gateway refuses a datagram: the
 * app's supervisor holds the gateway, whose rules answer as long as the app lives (nft(8), "REJECT STATEMENT").
 */
async function killEngine({ world, prober }: Scene): Promise<void> {
  process.kill(prober.running.pid, 'SIGKILL');
  await until('the end of the engine', () => !isAlive(prober.running.pid));
  const open = 'ss -Htan exclude listening exclude time-wait dst ';
  await until('the end of its connections', async () => {
    return (await world.shell(`${open} ${internet.proxy4}`)) === '';
  });
  const datagram: Probe = { kind: 'udp', address: internet.web4, port: ports.echo, reach: 'public' };
  await until('the refusal of a datagram', async () => {
    const [result] = await prober.walk([datagram], () => 50);
    return result?.word === 'EHOSTUNREACH';
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}
