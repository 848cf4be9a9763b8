/**
 * Proxies that this computer already uses or has: variables, the desktop's settings, Tor, ports where SOCKS proxies
 * usually listen, proxychains.conf.
 *
 * Must not: send anything to another computer, start a program, or show a password.
 */
import type { Upstream } from '#shared/model.ts';
import type { foundSources } from '#shared/profile-protocol.ts';
import { linkOf } from '../../import/index.ts';
import { authorityOf } from '../../upstream/destination.ts';
import { chainsInFiles } from './chain-files.ts';
import { desktopProxies } from './desktop-proxies.ts';
import { accepts, answersSocks } from './loopback.ts';
import { listenersOf } from './listeners.ts';
import { proxiesInVariables } from './variables.ts';

export interface FoundHere {
  readonly source: (typeof foundSources)[number];
  readonly where?: string;
  /** In the order of a chain, without passwords. */
  readonly upstreams: readonly Upstream[];
  readonly name: string;
}

/** A found proxy as it is answered. */
export interface Found extends Omit<FoundHere, 'upstreams'> {
  readonly link: string;
  /** The first one of a chain. */
  readonly upstream: Upstream;
}

/** Tor's own and that of its browser (Tor Browser Design Document). */
const torPorts = [9050, 9150];
/** SOCKS (IANA), and where clients of other protocols offer it: Clash, V2Ray, sing-box. */
const socksPorts = [1080, 7890, 7891, 10808, 2080];
const loopback = ['127.0.0.1', '::1'] as const;

/** All that is there, each proxy once; the most telling source comes first. Takes two seconds at most. */
export async function findProxies(env: NodeJS.ProcessEnv): Promise<Found[]> {
  const [desktop, local, files] = await Promise.all([desktopProxies(env), listening(), inFiles(env)]);
  const seen = new Set<string>();
  return [...proxiesInVariables(env), ...desktop, ...local, ...files].flatMap(
    ({ upstreams, name, ...rest }) => {
      const [upstream] = upstreams;
      const key = upstreams.map(keyOf).join();
      if (upstream === undefined || seen.has(key)) return [];
      seen.add(key);
      const isChain = upstreams.length > 1;
      const link = upstreams.map((one) => linkOf(one, isChain ? authorityOf(one) : name, undefined));
      return [{ ...rest, name, upstream, link: link.join('\n') }];
    },
  );
}

/** SOCKS of any version at one place is one proxy. */
function keyOf(upstream: Upstream): string {
  const family = upstream.kind.startsWith('socks') ? 'socks' : upstream.kind;
  return `${family}://${upstream.user ?? ''}@${authorityOf(upstream).toLowerCase()}`;
}

async function listening(): Promise<FoundHere[]> {
  const asked = [...torPorts, ...socksPorts].flatMap((port) => loopback.map((host) => ({ host, port })));
  const found = await Promise.all(
    asked.map(async ({ host, port }) => ((await answersSocks(host, port)) ? [{ host, port }] : [])),
  );
  // One that listens at both families is one proxy.
  const places = new Map(
    found
      .flat()
      .toReversed()
      .map((place) => [place.port, place]),
  );
  const listeners = places.size === 0 ? new Map<number, string>() : await listenersOf([...places.keys()]);
  return [...places.values()].toReversed().map(({ host, port }): FoundHere => {
    const where = listeners.get(port);
    const isTor = torPorts.includes(port);
    const upstream: Upstream = { kind: 'socks5', host, port };
    return {
      source: isTor ? 'tor' : 'port',
      ...(where === undefined ? {} : { where }),
      upstreams: [upstream],
      name: isTor ? 'Tor' : authorityOf(upstream),
    };
  });
}

/** What a package brought along names a proxy of this computer that may not be there. */
async function inFiles(env: NodeJS.ProcessEnv): Promise<FoundHere[]> {
  const found = await Promise.all(
    chainsInFiles(env).map(async (chain) => {
      const [first] = chain.upstreams;
      const isHere = first !== undefined && (first.host === 'localhost' || isLoopback(first.host));
      return !isHere || (await accepts(first.host, first.port)) ? [chain] : [];
    }),
  );
  return found.flat();
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
