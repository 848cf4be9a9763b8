/**
 * Real proxies in a world. `await using proxy = await world.proxy('dante')` listens when it resolves and has
 * ended when the block ends. By default they are in the internet, so that the host sends nothing but the
 * connection to the proxy (`exceptions`); on the host's own loopback with `at: 'host'`, where what the proxy
 * itself sends is on the host's interfaces as well.
 */
import { internet } from './addresses.ts';
import type { Exception } from './capture.ts';
import { dante } from './proxies/dante.ts';
import { microsocks } from './proxies/microsocks.ts';
import { mirror } from './proxies/mirror.ts';
import { privoxy } from './proxies/privoxy.ts';
import { shadowsocks } from './proxies/shadowsocks.ts';
import { squid, squidDigest } from './proxies/squid.ts';
import { ssh } from './proxies/ssh.ts';
import { stunnel } from './proxies/stunnel.ts';
import { tinyproxy } from './proxies/tinyproxy.ts';
import { listens } from './listens.ts';
import { Owned } from './owned.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';
import type { Place, World } from './world.ts';

export const proxyKinds = [
  'microsocks',
  'dante',
  'ssh',
  'tinyproxy',
  'squid',
  'squid-digest',
  'privoxy',
  'stunnel',
  'shadowsocks',
  'mirror',
] as const;
export type ProxyKind = (typeof proxyKinds)[number];

export interface ProxyOptions {
  readonly at?: Place;
  readonly port?: number;
  /** IPv4 unless it is 6. */
  readonly family?: 4 | 6;
  /** Whether it asks for a user name and a password. */
  readonly signIn?: boolean;
}

/** What a kind of proxy is told to be. */
export interface ProxyPlan {
  readonly world: World;
  readonly at: Place;
  readonly address: string;
  readonly port: number;
  readonly signIn: { readonly user: string; readonly password: string } | undefined;
}

/** What a kind of proxy answers: the process that listens, and what else it started or needs. */
export interface Started {
  readonly listener: Running;
  readonly scheme: 'socks5' | 'http' | 'https';
  readonly others?: readonly Running[];
  readonly exceptions?: readonly Exception[];
}

export interface Proxy extends AsyncDisposable {
  readonly kind: ProxyKind;
  readonly address: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** For `--proxy`, the sign-in included. */
  readonly url: string;
  /** Connections that a capture on the host may see. */
  readonly exceptions: readonly Exception[];
  /** The process that listens; forking proxies have children. */
  readonly process: Running;
  /** Ends it, with SIGKILL by default, as a crash would. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const starters: Record<ProxyKind, (plan: ProxyPlan) => Promise<Started>> = {
  microsocks,
  dante,
  ssh,
  tinyproxy,
  squid,
  'squid-digest': squidDigest,
  privoxy,
  stunnel,
  shadowsocks,
  mirror,
};
let nextPort = 1080;

export async function startProxy(world: World, kind: ProxyKind, options: ProxyOptions): Promise<Proxy> {
  const at = options.at ?? (kind === 'ssh' || kind === 'shadowsocks' ? 'host' : 'internet');
  const { name, password } = world.users['culvert-b'];
  const plan: ProxyPlan = {
    world,
    at,
    address: addressAt(at, options.family ?? 4),
    port: options.port ?? nextPort++,
    signIn: options.signIn === true ? { user: name, password } : undefined,
  };
  const started = await starters[kind](plan);
  await until(`${kind} to listen on port ${plan.port}`, () => listens(started.listener, plan.port), 10_000);
  return assemble(kind, plan, started);
}

function addressAt(at: Place, family: 4 | 6): string {
  if (at === 'host') return family === 6 ? '::1' : '127.0.0.1';
  return family === 6 ? internet.proxy6 : internet.proxy4;
}

function assemble(kind: ProxyKind, plan: ProxyPlan, started: Started): Proxy {
  const { address, port, signIn } = plan;
  const owned = new Owned();
  for (const running of started.others ?? []) owned.use(running);
  owned.use(started.listener);
  const credentials = signIn === undefined ? '' : `${signIn.user}:${encodeURIComponent(signIn.password)}@`;
  return {
    kind,
    address,
    port,
    user: signIn?.user,
    password: signIn?.password,
    url: `${started.scheme}://${credentials}${address.includes(':') ? `[${address}]` : address}:${port}`,
    exceptions: [{ address, port }, ...(started.exceptions ?? [])],
    process: started.listener,
    kill: (signal = 'SIGKILL') => started.listener.end(signal),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
