/**
 * The first two stages of a test: whether the servers of a chain can be reached, and whether they take the sign-in.
 *
 * Must not: dial a server of a strict chain but through those before it: it is not to see this computer's address.
 */
import { failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase, type PhraseValue } from '#shared/phrase.ts';
import { connect } from '../upstream/attempt.ts';
import type { ChainDialler } from '../upstream/chain.ts';
import { type ChainSpec } from '../upstream/chain.ts';
import type { Dialled, DialOptions } from '../upstream/connection.ts';
import { authorityOf, kindOf } from '../upstream/destination.ts';
import { peerOf } from '../upstream/dial.ts';
import { trySignIn } from '../upstream/socks-sign-in.ts';
import { formatUpstream } from '../upstream/url.ts';
import { since, type Findings } from './findings.ts';

export interface ReachOptions {
  readonly findings: Findings;
  readonly signal: AbortSignal;
  /** Milliseconds for all servers together. */
  readonly deadlineMs: number;
  readonly socketFor: ((family: 4 | 6) => number) | undefined;
  /** The same chain with fewer servers. */
  readonly dialler: (upstreams: readonly Upstream[]) => ChainDialler;
}

/** `signed-in`: all servers have taken the sign-in. `reached`: what the last one says to it is yet to be found out. */
export type Reached = 'signed-in' | 'reached' | 'lost';

/** Goes from server to server, in chains of a mode that chooses to each by itself. */
export function reach(spec: ChainSpec, options: ReachOptions): Promise<Reached> {
  return spec.mode === 'strict' ? reachInOrder(spec, options) : reachEach(spec, options);
}

async function reachInOrder({ upstreams }: ChainSpec, options: ReachOptions): Promise<Reached> {
  const { findings, deadlineMs } = options;
  const start = performance.now();
  for (const [at, upstream] of upstreams.entries()) {
    const begin = performance.now();
    let dialled: Dialled;
    try {
      dialled = await reachOne(upstreams, at, {
        ...options,
        deadlineMs: Math.max(0, deadlineMs - since(start)),
      });
    } catch (error) {
      noteLost(findings, error, since(begin));
      return 'lost';
    }
    const key = at === 0 ? 'test.takes' : 'test.takes-through';
    findings.add('reach', 'ok', phrase(key, { server: formatUpstream(upstream) }), { ms: since(begin) });
    if (at < upstreams.length - 1) dialled.socket.destroy();
    else return await signIn(upstream, dialled, options);
  }
  return 'lost';
}

async function reachOne(
  upstreams: readonly Upstream[],
  at: number,
  { deadlineMs, signal, socketFor, dialler }: ReachOptions,
): Promise<Dialled> {
  const upstream = upstreams[at];
  if (upstream === undefined) throw new Error('a chain without that server');
  if (at > 0) {
    const { host, port } = upstream;
    return dialler(upstreams.slice(0, at)).dial({ host, port, kind: kindOf(host) }, { deadlineMs, signal });
  }
  const options: DialOptions = { deadlineMs, signal, ...(socketFor === undefined ? {} : { socketFor }) };
  return connect({ peer: peerOf(upstream) }, options);
}

/** A server further on is reached by requests to those before it, which want a sign-in. */
function noteLost(findings: Findings, error: unknown, ms: number): void {
  const { code } = failureOf(error);
  const isAboutSignIn = code === 'proxy-sign-in-refused' || code === 'certificate-refused';
  findings.failed(isAboutSignIn ? 'sign-in' : 'reach', error, ms);
}

/** What only a SOCKS5 server says without being asked for a destination. */
async function signIn(upstream: Upstream, dialled: Dialled, options: ReachOptions): Promise<Reached> {
  if (upstream.kind !== 'socks5') {
    dialled.socket.destroy();
    return 'reached';
  }
  const { findings, signal } = options;
  const begin = performance.now();
  try {
    const result = await trySignIn(upstream, dialled, { deadlineMs: options.deadlineMs, signal });
    const said = phrase(result === 'accepted' ? 'test.sign-in-accepted' : 'test.sign-in-none');
    findings.add('sign-in', 'ok', said, { ms: since(begin) });
    return 'signed-in';
  } catch (error) {
    findings.failed('sign-in', error, since(begin));
    return 'lost';
  }
}

/** Any of them may be the first one of a path, so each is dialled from here. */
async function reachEach(spec: ChainSpec, options: ReachOptions): Promise<Reached> {
  const { upstreams, mode, length = 1 } = spec;
  const begin = performance.now();
  const lost: { readonly upstream: Upstream; readonly failure: Failure }[] = [];
  await Promise.all(
    upstreams.map(async (upstream) => {
      try {
        (await reachOne([upstream], 0, options)).socket.destroy();
      } catch (error) {
        lost.push({ upstream, failure: failureOf(error) });
      }
    }),
  );
  const there = upstreams.length - lost.length;
  const needed = mode === 'dynamic' ? 1 : length;
  const counts = { there, all: upstreams.length, needed };
  const said =
    lost.length === 0
      ? phrase('test.each', counts)
      : phrase('test.each-without', { ...counts, servers: namesOf(lost) });
  if (there >= needed) {
    options.findings.add('reach', 'ok', said, { ms: since(begin) });
    return 'reached';
  }
  const failure = failureSaying('chain-exhausted', phrase('proxy.needed', { have: there, needed }));
  options.findings.add('reach', 'failed', said, { ms: since(begin), failure });
  return 'lost';
}

function namesOf(lost: readonly { readonly upstream: Upstream }[]): PhraseValue {
  const servers = lost.slice(0, 3).map(({ upstream }) => authorityOf(upstream));
  return lost.length > 3 ? phrase('test.and-more', { servers, more: lost.length - 3 }) : servers;
}
