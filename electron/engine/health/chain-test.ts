/**
 * The staged test of a chain of proxies, a single server being the shortest: reach, sign-in, a web request with the
 * exit address, UDP, DNS, IPv6. Each stage has a time of its own, and all together ten seconds.
 *
 * Must not: send anything to anybody but the chain's servers, unless it is told to compare (`compare`).
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { CheckLine, CheckReport, Upstream } from '#shared/model.ts';
import { ChainDialler, type ChainSpec, type ChainSurroundings } from '../upstream/chain.ts';
import { authorityOf, destinationOf, type Destination } from '../upstream/destination.ts';
import { askByUdp } from './datagrams.ts';
import { questionFor, type ResolverAnswer } from './dns-question.ts';
import { Findings, sentenceFor, since } from './findings.ts';
import { within } from './limit.ts';
import { ownAddress } from './own-address.ts';
import type { Probe } from './probe.ts';
import { reach, type Reached } from './reach.ts';
import { askByTcp } from './streams.ts';
import { askWeb } from './web-request.ts';

/** Milliseconds. */
const wholeMs = 10_000;
const reachMs = 4000;
const webMs = 5000;
/** Where a silent server is passed over, which takes a chain five seconds. */
const patientWebMs = 7500;
const stageMs = 3000;

export interface TestSurroundings extends ChainSurroundings {
  /** A UDP socket that is bound to the interface; needed for `egress`. */
  readonly udpSocketOn?: (family: 4 | 6, device: string) => number;
}

export interface ChainTestOptions {
  readonly probe: Probe;
  /** Hears of each line when it is found. */
  readonly onLine?: (line: CheckLine) => void;
  readonly signal?: AbortSignal;
  readonly surroundings?: TestSurroundings;
  /** Asks the page once more without the chain, to tell whether the exit address is another one. */
  readonly compare?: boolean;
}

/** Rejects with `chain-empty`, or with the reason of the signal; all other failures are lines. */
export async function testChain(spec: ChainSpec, options: ChainTestOptions): Promise<CheckReport> {
  if (spec.upstreams.length === 0) throw new CulvertError('chain-empty');
  const outer = options.signal ?? new AbortController().signal;
  return new ChainTest(spec, options, outer).run();
}

class ChainTest {
  readonly #spec: ChainSpec;
  readonly #options: ChainTestOptions;
  readonly #outer: AbortSignal;
  readonly #findings: Findings;
  readonly #chain: ChainDialler;
  readonly #begin = performance.now();

  constructor(spec: ChainSpec, options: ChainTestOptions, outer: AbortSignal) {
    this.#spec = spec;
    this.#options = options;
    this.#outer = outer;
    this.#findings = new Findings(options.onLine);
    this.#chain = this.#dialler(spec.upstreams);
  }

  async run(): Promise<CheckReport> {
    const reached = await this.#reach();
    if (reached !== 'lost' && (await this.#web(reached))) {
      await Promise.all([this.#udp(), this.#dnsAndIpv6()]);
    }
    this.#outer.throwIfAborted();
    return this.#findings.report();
  }

  #dialler(upstreams: readonly Upstream[]): ChainDialler {
    return new ChainDialler({ ...this.#spec, upstreams }, this.#options.surroundings);
  }

  #socketFor(): ((family: 4 | 6) => number) | undefined {
    const { egress } = this.#spec;
    const make = this.#options.surroundings?.tcpSocketOn;
    return egress === undefined || make === undefined ? undefined : (family) => make(family, egress);
  }

  /** What is left of the whole time, as far as the stage may use it. */
  #left(ms: number): number {
    return Math.max(1, Math.min(ms, wholeMs - since(this.#begin)));
  }

  async #reach(): Promise<Reached> {
    return reach(this.#spec, {
      findings: this.#findings,
      signal: this.#outer,
      deadlineMs: this.#left(reachMs),
      socketFor: this.#socketFor(),
      dialler: (upstreams) => this.#dialler(upstreams),
    });
  }

  /** Answers whether the chain can be used at all. */
  async #web(reached: Reached): Promise<boolean> {
    const { url, web } = this.#options.probe;
    const findings = this.#findings;
    const begin = performance.now();
    try {
      const answer = await this.#stage(
        this.#spec.mode === 'strict' ? webMs : patientWebMs,
        web,
        async (signal, deadlineMs) => {
          const dialled = await this.#chain.dial(web, { deadlineMs, signal });
          if (reached !== 'signed-in') this.#signedIn(since(begin));
          return askWeb(dialled, url, signal);
        },
      );
      findings.add('web', 'ok', `${authorityOf(web)} answers with status ${answer.status}`, {
        ms: since(begin),
      });
      await this.#exit(answer.address);
      return true;
    } catch (error) {
      this.#outer.throwIfAborted();
      return this.#webFailed(failureOf(error), reached, since(begin));
    }
  }

  #signedIn(ms: number): void {
    const isUsed = this.#spec.upstreams.some(({ user }) => user !== undefined);
    const text = isUsed ? 'user name and password are accepted' : 'the server asks for none';
    this.#findings.add('sign-in', 'ok', text, { ms });
  }

  #webFailed(failure: Failure, reached: Reached, ms: number): boolean {
    const findings = this.#findings;
    if (failure.code === 'proxy-sign-in-refused' || failure.code === 'certificate-refused') {
      findings.add('sign-in', 'failed', sentenceFor(failure), { ms, failure });
      return false;
    }
    const isBeyond = failure.code === 'proxy-refused' || failure.code === 'probe-unreachable';
    if (reached !== 'signed-in' && failure.code === 'proxy-refused') this.#signedIn(ms);
    // A server that took the sign-in is there: what it then does not do is about the page.
    const isAboutPage = isBeyond || (reached === 'signed-in' && failure.code !== 'chain-exhausted');
    const shown = isAboutPage ? unreachable(failure) : failure;
    findings.add('web', 'failed', sentenceFor(shown), { ms, failure: shown });
    return isAboutPage;
  }

  async #exit(address: string | undefined): Promise<void> {
    const findings = this.#findings;
    if (address === undefined) {
      findings.add('exit-address', 'unknown', 'the page does not say which address it sees');
      return;
    }
    findings.exitAddress = address;
    const seen = `others see ${address}`;
    if (this.#options.compare !== true) {
      findings.add('exit-address', 'ok', seen);
      return;
    }
    const begin = performance.now();
    try {
      const socketFor = this.#socketFor();
      const { probe } = this.#options;
      const own = await ownAddress(probe, {
        family: address.includes(':') ? 6 : 4,
        signal: this.#outer,
        ...(socketFor === undefined ? {} : { socketFor }),
      });
      const isSame = own === address;
      const text = isSame ? `${seen}, which is this computer’s own address` : `${seen} instead of ${own}`;
      findings.add('exit-address', isSame ? 'failed' : 'ok', text, { ms: since(begin) });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      const text = `${seen}; this computer’s own address was not found out: ${failure.detail ?? failure.code}`;
      findings.add('exit-address', 'unknown', text, { ms: since(begin), failure });
    }
  }

  async #udp(): Promise<void> {
    const { resolver, name } = this.#options.probe;
    const findings = this.#findings;
    const begin = performance.now();
    try {
      const socketOn = this.#udpSocketOn();
      const answer = await this.#stage(stageMs, resolver, (signal, deadlineMs) =>
        askByUdp(this.#chain, resolver, questionFor(name, 'A'), { deadlineMs, signal, socketOn }),
      );
      const text = `${authorityOf(resolver)} answers over UDP (${answer.code})`;
      findings.add('udp', 'ok', text, { ms: since(begin) });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      if (failure.code === 'udp-not-offered') {
        findings.add('udp', 'refused', `not offered: UDP will be blocked${because(failure)}`, {
          ms: since(begin),
        });
      } else {
        const text =
          failure.code === 'dns-failed'
            ? `UDP is offered, but ${failure.detail ?? ''}`
            : sentenceFor(failure);
        findings.add('udp', 'failed', text, { ms: since(begin), failure });
      }
    }
  }

  #udpSocketOn(): ((family: 4 | 6) => number) | undefined {
    const { egress } = this.#spec;
    if (egress === undefined) return undefined;
    const make = this.#options.surroundings?.udpSocketOn;
    if (make === undefined) throw new Error('a chain with an egress needs a maker of bound sockets');
    return (family) => make(family, egress);
  }

  async #dnsAndIpv6(): Promise<void> {
    const answer = await this.#dns();
    this.#outer.throwIfAborted();
    await this.#ipv6(answer?.addresses.find((address) => address.includes(':')));
  }

  /** Two questions on one connection; answers the second answer, which is about IPv6. */
  async #dns(): Promise<ResolverAnswer | undefined> {
    const { resolver, name } = this.#options.probe;
    const findings = this.#findings;
    const begin = performance.now();
    try {
      return await this.#stage(stageMs, resolver, async (signal, deadlineMs) => {
        const { socket, early } = await this.#chain.dial(resolver, { deadlineMs, signal });
        try {
          const first = await askByTcp(socket, early, questionFor(name, 'A'), signal);
          const text = `${authorityOf(resolver)} answers over TCP (${first.code})`;
          const failure: Failure = {
            code: 'dns-failed',
            detail: `${authorityOf(resolver)} answers ${first.code}`,
          };
          findings.add('dns', first.isUseful ? 'ok' : 'failed', text, {
            ms: since(begin),
            failure: first.isUseful ? undefined : failure,
          });
          // Its failure is no failure of this stage.
          return await askByTcp(socket, Buffer.alloc(0), questionFor(name, 'AAAA'), signal).catch(
            () => undefined,
          );
        } finally {
          socket.destroy();
        }
      });
    } catch (error) {
      this.#outer.throwIfAborted();
      this.#dnsFailed(failureOf(error), since(begin));
      return undefined;
    }
  }

  #dnsFailed(failure: Failure, ms: number): void {
    const { resolver } = this.#options.probe;
    if (this.#findings.lines.some(({ stage }) => stage === 'dns')) return;
    if (failure.code !== 'proxy-refused') {
      this.#findings.add('dns', 'failed', sentenceFor(failure), { ms, failure });
      return;
    }
    const text = `no connections to port ${resolver.port}${because(failure)}; names still go to the proxy as names`;
    this.#findings.add('dns', 'refused', text, { ms });
  }

  async #ipv6(found: string | undefined): Promise<void> {
    const { web, resolver } = this.#options.probe;
    const findings = this.#findings;
    const target =
      [web, resolver].find(({ kind }) => kind === 'ipv6') ??
      (found === undefined ? undefined : destinationOf(found, web.port));
    if (!this.#chain.carriesIpv6) {
      findings.add('ipv6', 'refused', 'not offered by this kind of proxy: IPv6 will be blocked');
      return;
    }
    if (target === undefined) {
      findings.add(
        'ipv6',
        'unknown',
        `no IPv6 address to try: ${authorityOf(web)} has none, or could not be looked up`,
      );
      return;
    }
    const begin = performance.now();
    try {
      await this.#stage(stageMs, target, async (signal, deadlineMs) => {
        (await this.#chain.dial(target, { deadlineMs, signal })).socket.destroy();
      });
      findings.add('ipv6', 'ok', `${authorityOf(target)} is reached`, { ms: since(begin) });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      const isRefused = failure.code === 'proxy-refused';
      if (isRefused) findings.add('ipv6', 'refused', `not offered${because(failure)}`, { ms: since(begin) });
      else findings.failed('ipv6', error, since(begin));
    }
  }

  #stage<T>(
    ms: number,
    target: Destination,
    run: (signal: AbortSignal, deadlineMs: number) => Promise<T>,
  ): Promise<T> {
    const left = this.#left(ms);
    const late = (): Error =>
      new CulvertError('probe-unreachable', {
        detail: `no answer of ${authorityOf(target)} within ${left / 1000} s`,
      });
    // A dial that is late has more to say of it than the stage has.
    return within(left, this.#outer, late, (signal) => run(signal, Math.max(1, left - 100)));
  }
}

function unreachable({ code, detail }: Failure): Failure {
  return code === 'probe-unreachable'
    ? { code, ...(detail === undefined ? {} : { detail }) }
    : { code: 'probe-unreachable', detail: detail ?? code };
}

function because({ detail }: Failure): string {
  return detail === undefined ? '' : ` (${detail})`;
}
