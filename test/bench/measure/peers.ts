/** The ways for a program's connections that are compared in one run. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../world/artefact.ts';
import { Product } from '../../world/product.ts';
import { listens } from '../../world/listens.ts';
import { until } from '../../world/until.ts';
import type { RunOptions, UserName, World } from '../../world/world.ts';
import { proxy, server, type Bench, type CulvertRun } from './tools.ts';

export const peerNames = ['no proxy', 'proxychains4', 'redsocks', 'culvert'] as const;
export type PeerName = (typeof peerNames)[number];

/** A path that is open: how a command is put on it, and who runs it. */
export interface Path extends AsyncDisposable {
  wrap(command: readonly string[]): string[];
  readonly options: RunOptions;
}

export interface Peer {
  readonly name: PeerName;
  /** Why it cannot be measured here, or undefined. */
  missing(): string | undefined;
  open(world: World): Promise<Path>;
}

/** Installs the product in the world; undefined when it is not built. */
export function installCulvert(world: World): CulvertRun | undefined {
  if (!existsSync(join(repository, 'dist', 'bin', 'culvert'))) return undefined;
  const { culvert } = Product.install(world);
  return (command) => [culvert, 'run', '--isolation', 'rootless', '--proxy', proxy.url, '--', ...command];
}

const nothing = (): Promise<void> => Promise.resolve();

function missingProgram(path: string, hint: string): string | undefined {
  return existsSync(path) ? undefined : hint;
}

function plainPath(user: UserName, wrap: Path['wrap']): Path {
  return { wrap, options: { user }, [Symbol.asyncDispose]: nothing };
}

const noProxy: Peer = {
  name: 'no proxy',
  missing: () => undefined,
  open: () => Promise.resolve(plainPath('culvert-a', (command) => [...command])),
};

const proxychains: Peer = {
  name: 'proxychains4',
  missing: () => missingProgram('/usr/bin/proxychains4', 'proxychains4 is not installed'),
  open: (world) => {
    const file = join(world.dir, 'proxychains.conf');
    writeFileSync(file, `strict_chain\n[ProxyList]\nsocks5 ${proxy.address} ${proxy.port}\n`);
    return Promise.resolve(
      plainPath('culvert-a', (command) => ['/usr/bin/proxychains4', '-q', '-f', file, ...command]),
    );
  },
};

const redsocksPort = 12_345;

/** As its manual has it: a redirect of one user's connections to the daemon, which knows where they were going. */
const redsocks: Peer = {
  name: 'redsocks',
  missing: () => missingProgram('/usr/sbin/redsocks', 'redsocks is not installed'),
  open: async (world) => {
    const file = join(world.dir, 'redsocks.conf');
    const base =
      'log_debug = off; log_info = off; daemon = off; redirector = iptables; rlimit_nofile = 20000;';
    const listen = `local_ip = 127.0.0.1; local_port = ${redsocksPort};`;
    const upstream = `ip = ${proxy.address}; port = ${proxy.port}; type = socks5;`;
    writeFileSync(file, `base { ${base} }\nredsocks { ${listen} ${upstream} }\n`);
    const daemon = world.spawn(['/usr/sbin/redsocks', '-c', file]);
    await until('redsocks to listen', () => listens(daemon, redsocksPort));
    const { uid } = world.users['culvert-b'];
    await world.shell(`nft -f - <<'END'
table ip bench {
  chain out {
    type nat hook output priority -100; policy accept;
    meta skuid ${uid} ip daddr ${server.address} tcp dport ${server.port} redirect to :${redsocksPort}
  }
}
END`);
    return {
      ...plainPath('culvert-b', (command) => [...command]),
      [Symbol.asyncDispose]: async () => {
        await world.shell('nft delete table ip bench');
        await daemon.end();
      },
    };
  },
};

/** The peers in the order of the table. */
export function peersOf({ culvertRun }: Bench): readonly Peer[] {
  const lane: Peer = {
    name: 'culvert',
    missing: () => (culvertRun === undefined ? 'dist/bin/culvert is not built' : undefined),
    open: () => Promise.resolve(plainPath('culvert-a', (command) => culvertRun?.(command) ?? [])),
  };
  return [noProxy, proxychains, redsocks, lane];
}
