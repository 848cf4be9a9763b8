/** The bench's own programs, and what the load tool answers. */
import { compile } from '../../world/artefact.ts';
import { host } from '../../world/addresses.ts';
import type { RunOptions, World } from '../../world/world.ts';

const folder = 'test/bench/native';

/** The counterpart is at an address of the host's own: its packets take the loopback interface. */
export const server = { address: host.v4, port: 5001 } as const;
export const proxy = { address: '127.0.0.1', port: 1080, url: 'socks5://127.0.0.1:1080' } as const;

/** What a measurement works with. */
export interface Bench {
  readonly world: World;
  readonly tools: Tools;
  /** Puts a command on a rootless lane through the bench's proxy; undefined when Culvert is not built. */
  readonly culvertRun: CulvertRun | undefined;
}

export type CulvertRun = (command: readonly string[]) => string[];

export interface Tools {
  /** The load tool's command with the server's address; dynamic, so that proxychains4 can interpose. */
  load(mode: readonly (string | number)[]): string[];
  readonly loadProgram: string;
}

/** Compiles the programs and starts the server and the splicing proxy on the host of the world. */
export async function startTools(world: World): Promise<Tools> {
  const loadProgram = world.share(compile([`${folder}/load.c`, `${folder}/datagrams.c`], []));
  const serve = world.spawn([compile(`${folder}/serve.c`), server.address, String(server.port)]);
  const socks = world.spawn([compile(`${folder}/splice_socks.c`), proxy.address, String(proxy.port)]);
  await serve.says(/serving/);
  await socks.says(/listening/);
  // Thousands of short connections to one address: more ports, and those in TIME_WAIT may be taken again.
  await world.shell(`echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range
    echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse
    echo 8192 > /proc/sys/net/core/somaxconn`);
  return {
    loadProgram,
    load: (mode) => [loadProgram, server.address, String(server.port), ...mode.map(String)],
  };
}

/** Runs the load tool to its end and reads its line of JSON. */
export async function figures(world: World, command: readonly string[], options: RunOptions) {
  const { stdout, stderr, code, signal } = await world.run(command, { timeoutMs: 120_000, ...options });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`${command.join(' ')} (${code ?? signal}): ${stdout}${stderr}`);
  return JSON.parse(line) as Readonly<Record<string, number>>;
}
