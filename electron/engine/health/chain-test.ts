/**
 * The staged test of a chain of proxies, a single server being the shortest: reach, sign-in, a web request with the
 * exit address, UDP, DNS, IPv6. Each stage has a time of its own, and all together ten seconds.
 *
 * Must not: send anything to anybody but the chain's servers, unless it is told to compare (`compare`).
 */
import { CulvertError, failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import type { CheckLine, CheckReport, Upstream } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { ChainDialler, type ChainSpec, type ChainSurroundings } from '../upstream/chain.ts';
import { authorityOf, destinationOf, type Destination } from '../upstream/destination.ts';
import { askByUdp } from './datagrams.ts';
import { questionFor, type ResolverAnswer } from './dns-question.ts';
import { Findings, reasonOf, shortly, since } from './findings.ts';
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
      const said = phrase('test.page', { where: authorityOf(web), status: answer.status });
      findings.add('web', 'ok', said, { ms: since(begin) });
      await this.#exit(answer.address);
      return true;
    } catch (error) {
      this.#outer.throwIfAborted();
      return this.#webFailed(failureOf(error), reached, since(begin));
    }
  }

  #signedIn(ms: number): void {
    const isUsed = this.#spec.upstreams.some(({ user }) => user !== undefined);
    const said = phrase(isUsed ? 'test.sign-in-accepted' : 'test.sign-in-none');
    this.#findings.add('sign-in', 'ok', said, { ms });
  }

  #webFailed(failure: Failure, reached: Reached, ms: number): boolean {
    const findings = this.#findings;
    if (failure.code === 'proxy-sign-in-refused' || failure.code === 'certificate-refused') {
      findings.add('sign-in', 'failed', shortly(failure), { ms, failure });
      return false;
    }
    const isBeyond = failure.code === 'proxy-refused' || failure.code === 'probe-unreachable';
    if (reached !== 'signed-in' && failure.code === 'proxy-refused') this.#signedIn(ms);
    // A server that took the sign-in is there: what it then does not do is about the page.
    const isAboutPage = isBeyond || (reached === 'signed-in' && failure.code !== 'chain-exhausted');
    const shown = isAboutPage ? unreachable(failure) : failure;
    findings.add('web', 'failed', shortly(shown), { ms, failure: shown });
    return isAboutPage;
  }

  async #exit(address: string | undefined): Promise<void> {
    const findings = this.#findings;
    if (address === undefined) {
      findings.add('exit-address', 'unknown', phrase('test.exit-unsaid'));
      return;
    }
    findings.exitAddress = address;
    if (this.#options.compare !== true) {
      findings.add('exit-address', 'ok', phrase('test.exit', { address }));
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
      const said = isSame
        ? phrase('test.exit-same', { address })
        : phrase('test.exit-other', { address, own });
      findings.add('exit-address', isSame ? 'failed' : 'ok', said, { ms: since(begin) });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      const said = phrase('test.exit-unknown', { address, why: reasonOf(failure) });
      findings.add('exit-address', 'unknown', said, { ms: since(begin), failure });
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
      const said = phrase('test.udp', { where: authorityOf(resolver), code: answer.code });
      findings.add('udp', 'ok', said, { ms: since(begin) });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      if (failure.code === 'udp-not-offered') {
        const why = failure.phrase ?? failure.detail;
        const said = why === undefined ? phrase('test.udp-none') : phrase('test.udp-none-because', { why });
        findings.add('udp', 'refused', said, { ms: since(begin) });
      } else {
        const said =
          failure.code === 'dns-failed'
            ? phrase('test.udp-without-answer', { why: reasonOf(failure) })
            : shortly(failure);
        findings.add('udp', 'failed', said, { ms: since(begin), failure });
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
          const answered = { where: authorityOf(resolver), code: first.code };
          const failure = first.isUseful
            ? undefined
            : failureSaying('dns-failed', phrase('test.dns-code', answered));
          findings.add('dns', first.isUseful ? 'ok' : 'failed', phrase('test.dns', answered), {
            ms: since(begin),
            failure,
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
      this.#findings.add('dns', 'failed', shortly(failure), { ms, failure });
      return;
    }
    const { port } = resolver;
    const why = failure.phrase ?? failure.detail;
    const said =
      why === undefined
        ? phrase('test.dns-refused', { port })
        : phrase('test.dns-refused-because', { port, why });
    this.#findings.add('dns', 'refused', said, { ms });
  }

  async #ipv6(found: string | undefined): Promise<void> {
    const { web, resolver } = this.#options.probe;
    const findings = this.#findings;
    const target =
      [web, resolver].find(({ kind }) => kind === 'ipv6') ??
      (found === undefined ? undefined : destinationOf(found, web.port));
    if (!this.#chain.carriesIpv6) {
      findings.add('ipv6', 'refused', phrase('test.ipv6-kind'));
      return;
    }
    if (target === undefined) {
      findings.add('ipv6', 'unknown', phrase('test.ipv6-untried', { where: authorityOf(web) }));
      return;
    }
    const begin = performance.now();
    try {
      await this.#stage(stageMs, target, async (signal, deadlineMs) => {
        (await this.#chain.dial(target, { deadlineMs, signal })).socket.destroy();
      });
      findings.add('ipv6', 'ok', phrase('test.reached', { where: authorityOf(target) }), {
        ms: since(begin),
      });
    } catch (error) {
      this.#outer.throwIfAborted();
      const failure = failureOf(error);
      if (failure.code !== 'proxy-refused') {
        findings.failed('ipv6', error, since(begin));
        return;
      }
      const why = failure.phrase ?? failure.detail;
      const said = why === undefined ? phrase('test.ipv6-none') : phrase('test.ipv6-none-because', { why });
      findings.add('ipv6', 'refused', said, { ms: since(begin) });
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
        detail: phrase('test.page-late', { where: authorityOf(target), seconds: left / 1000 }),
      });
    // A dial that is late has more to say of it than the stage has.
    return within(left, this.#outer, late, (signal) => run(signal, Math.max(1, left - 100)));
  }
}

function unreachable(failure: Failure): Failure {
  const { step: _step, ...said } = failure;
  return { ...said, code: 'probe-unreachable', detail: failure.detail ?? failure.code };
}
