/**
 * A chain of upstreams as one way out: which servers a connection goes through, and the connection through them.
 *
 * Does: choose the path by the chain's mode, remember for a while which servers are dead, and say which one
 * failed. Must not: go past a server that its mode demands, or try another path because a destination was refused.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Upstream } from '#shared/model.ts';
import type { ChainMode } from '#shared/profile.ts';
import type { Stumble } from './attempt.ts';
import { blame } from './blame.ts';
import { associateThrough, type ChainAssociation } from './chain-udp.ts';
import { withDeadline, type Dialled, type DialOptions } from './connection.ts';
import { DeadServers } from './dead-servers.ts';
import { authorityOf, type Destination } from './destination.ts';
import { travel, type JourneyOptions } from './journey.ts';
import { choosePath, startAfter, type Choice } from './selection.ts';
import type { AssociateOptions } from './udp-associate.ts';
import { formatUpstream } from './url.ts';

export type { ChainAssociation } from './chain-udp.ts';

/** What a chain is; `upstreams` are those that are on, in their order. */
export interface ChainSpec {
  readonly mode: ChainMode;
  /** How many servers one connection goes through, 1 when not given; random and round-robin only. */
  readonly length?: number;
  readonly upstreams: readonly Upstream[];
  /** The host's interface from which the first server of a path is dialled. */
  readonly egress?: string;
}

/** What a chain needs from outside; all of it has a default but the maker of bound sockets. */
export interface ChainSurroundings {
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** 0 up to but not including 1. */
  readonly random?: () => number;
  /** A non-blocking TCP socket that is bound to the interface; needed for `egress`. */
  readonly tcpSocketOn?: (family: 4 | 6, device: string) => number;
  /** Milliseconds for each server that has no time of its own, where another path can be taken; 5,000. */
  readonly patienceMs?: number;
}

/** A connection through a chain; `via` names the servers that it goes through. */
export type ChainDialled = Dialled & { readonly via: string };

/** What came of one path: something, or a server or a destination that stopped it. */
export type Walked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; stumble: Stumble };

export class ChainDialler {
  readonly spec: ChainSpec;
  /** For people: the one server, or all servers in their order with the mode where that is not strict. */
  readonly via: string;
  /** Whether there is a path that can carry UDP; which ones do only `associate` finds out. */
  readonly carriesUdp: boolean;
  /** Whether every path can carry IPv6 destinations. */
  readonly carriesIpv6: boolean;
  /** Whether every path can carry names. */
  readonly carriesNames: boolean;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #patienceMs: number;
  readonly #socketFor: ((family: 4 | 6) => number) | undefined;
  readonly #dead: DeadServers;
  #start = 0;

  constructor(spec: ChainSpec, surroundings: ChainSurroundings = {}) {
    this.spec = spec;
    this.via = viaOf(spec);
    const { mode, upstreams } = spec;
    const length = mode === 'strict' ? upstreams.length : mode === 'dynamic' ? 1 : lengthOf(spec);
    this.carriesUdp = length > 0 && upstreams.filter(({ kind }) => kind === 'socks5').length >= length;
    const ends = mode === 'strict' ? upstreams.slice(-1) : upstreams;
    this.carriesIpv6 = ends.every(({ kind }) => kind !== 'socks4' && kind !== 'socks4a');
    this.carriesNames = ends.every(({ kind }) => kind !== 'socks4');
    this.#now = surroundings.now ?? (() => performance.now());
    this.#patienceMs = surroundings.patienceMs ?? 5_000;
    this.#random = surroundings.random ?? Math.random;
    this.#socketFor = socketForOf(spec, surroundings);
    this.#dead = new DeadServers(this.#now);
  }

  /** A connection to the destination. Rejects like `dial`, with `chain-empty` or with `chain-exhausted`. */
  async dial(destination: Destination, options: DialOptions = {}): Promise<ChainDialled> {
    return this.#walk(options, async (upstreams, limits): Promise<Walked<ChainDialled>> => {
      const { outcome } = await travel(upstreams, destination, limits);
      return outcome.ok ? { ok: true, value: { ...outcome.dialled, via: pathText(upstreams) } } : outcome;
    });
  }

  /** A UDP association. Rejects like `udpAssociate`, with `chain-empty` or with `chain-exhausted`. */
  async associate(options: AssociateOptions = {}): Promise<ChainAssociation> {
    return this.#walk(options, async (upstreams, limits): Promise<Walked<ChainAssociation>> => {
      const other = upstreams.find(({ kind }) => kind !== 'socks5');
      if (other !== undefined) {
        throw new CulvertError('udp-not-offered', { detail: phrase('proxy.tcp-only', { kind: other.kind }) });
      }
      const result = await associateThrough(upstreams, pathText(upstreams), {
        ...limits,
        ...onEndOf(options),
      });
      const { egress } = this.spec;
      if (!result.ok || egress === undefined) return result;
      return { ok: true, value: { ...result.value, egress } };
    });
  }

  /** Goes paths until one comes to something, or to a failure that another path would not change. */
  async #walk<T>(
    options: DialOptions,
    go: (upstreams: readonly Upstream[], limits: JourneyOptions) => Promise<Walked<T>>,
  ): Promise<T> {
    const { upstreams } = this.spec;
    if (upstreams.length === 0) throw new CulvertError('chain-empty');
    const limits = this.#limits(options);
    const choice = { ...this.#choice(), failed: new Set<number>() };
    let last: CulvertError | undefined;
    for (let before: readonly number[] = []; ;) {
      const path = choosePath({ ...choice, dead: this.#dead.present(), before });
      if (path === undefined) throw this.#exhausted(choice, last);
      if (choice.mode === 'round-robin') this.#start = startAfter(path, upstreams.length);
      const result = await go(at(upstreams, path), limits);
      if (result.ok) {
        for (const server of path) this.#dead.revived(server);
        return result.value;
      }
      const { stumble } = result;
      const guilty = blame(stumble, path.length);
      if (typeof guilty !== 'number') throw this.#named(stumble.reason, path[stumble.at]);
      const server = path[guilty] ?? -1;
      for (const passed of path.slice(0, guilty)) this.#dead.revived(passed);
      this.#dead.buried(server);
      choice.failed.add(server);
      last = this.#named(stumble.reason, server);
      const isLate = this.#now() >= limits.deadlineAt;
      if (choice.mode === 'strict' || isLate) throw last;
      before = path;
    }
  }

  #limits(options: DialOptions): JourneyOptions & { readonly deadlineAt: number } {
    const { deadlineMs, deadlineAt, signal, socketFor = this.#socketFor } = options;
    return withDeadline({
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(deadlineAt === undefined ? {} : { deadlineAt }),
      ...(signal === undefined ? {} : { signal }),
      ...(socketFor === undefined ? {} : { socketFor }),
      ...(this.spec.mode === 'strict' ? {} : { patienceMs: this.#patienceMs }),
      now: this.#now,
    });
  }

  #choice(): Omit<Choice, 'dead' | 'failed' | 'before'> {
    const { mode, upstreams } = this.spec;
    const length = lengthOf(this.spec);
    return { mode, count: upstreams.length, length, start: this.#start, random: this.#random };
  }

  #exhausted(
    { mode, length, failed }: Pick<Choice, 'mode' | 'length' | 'failed'>,
    last?: CulvertError,
  ): CulvertError {
    const needed = mode === 'dynamic' ? 1 : length;
    const have = this.spec.upstreams.length - failed.size;
    const why = last?.failure;
    const detail =
      why === undefined
        ? phrase('proxy.needed', { have, needed })
        : phrase('proxy.needed-because', { have, needed, why });
    return new CulvertError('chain-exhausted', { detail, cause: last });
  }

  /** The same failure with the server that failed, by its place in the chain. */
  #named(reason: unknown, server: number | undefined): CulvertError {
    const upstream = this.spec.upstreams[server ?? -1];
    if (!(reason instanceof CulvertError) || upstream === undefined) throw reason;
    const { code, step, detail, phrase: said = detail } = reason.failure;
    const place = phrase('proxy.place', {
      place: (server ?? 0) + 1,
      all: this.spec.upstreams.length,
      server: authorityOf(upstream),
    });
    return new CulvertError(code, {
      step,
      detail: said === undefined ? place : phrase('proxy.at-place', { why: said, place }),
      cause: reason,
    });
  }
}

function lengthOf({ length }: ChainSpec): number {
  return Math.max(1, length ?? 1);
}

function at(upstreams: readonly Upstream[], path: readonly number[]): Upstream[] {
  return path.flatMap((server) => upstreams[server] ?? []);
}

function pathText(upstreams: readonly Upstream[]): string {
  return upstreams.map(formatUpstream).join(' → ');
}

function viaOf(spec: ChainSpec): string {
  const { mode, upstreams } = spec;
  if (upstreams.length < 2 || mode === 'strict') return pathText(upstreams);
  const all = upstreams.map(formatUpstream).join(', ');
  return mode === 'dynamic' ? `dynamic: ${all}` : `${mode} ${lengthOf(spec)}: ${all}`;
}

/** Without a maker of bound sockets nothing is dialled at all, rather than from any interface. */
function socketForOf(
  { egress }: ChainSpec,
  { tcpSocketOn }: ChainSurroundings,
): ((family: 4 | 6) => number) | undefined {
  if (egress === undefined) return undefined;
  if (tcpSocketOn === undefined) throw new Error('a chain with an egress needs a maker of bound sockets');
  return (family) => tcpSocketOn(family, egress);
}

function onEndOf({ onEnd }: AssociateOptions): Pick<AssociateOptions, 'onEnd'> {
  return onEnd === undefined ? {} : { onEnd };
}
