/**
 * The leak check of a lane (S63): probes from the inside, as an app would make them, and what the engine itself has
 * seen of each. Five seconds in all.
 *
 * The control is the engine's own table: a probe that got an answer and is neither a flow of the lane nor a question
 * to its DNS was carried by somebody else, which is a leak. Must not: call anything good that was not seen there, or
 * send anything from outside the lane.
 */
import { failureSaying, type Failure } from '#shared/failure.ts';
import type { CheckReport, CheckStage } from '#shared/model.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Way } from '../ways/way.ts';
import { authorityOf } from '../upstream/destination.ts';
import { askInside } from './dns-inside.ts';
import { Evidence, type EvidenceSources } from './evidence.ts';
import { Findings, shortly, since } from './findings.ts';
import type { Inside } from './inside.ts';
import type { IsolationFacts, NamedProcess } from './isolation.ts';
import { probePage } from './page-inside.ts';
import type { Probe } from './probe.ts';
import { probeUdp } from './udp-inside.ts';

/** Milliseconds. */
const wholeMs = 4600;
const reachMs = 2500;
const udpMs = 1300;
const ipv6Ms = 2500;

/** Where IPv6 is tried when the page has no address of that kind: a resolver for the public. */
const ipv6Target = { host: '2620:fe::fe', port: 443 };

export interface LaneUnderCheck extends EvidenceSources {
  readonly inside: Inside;
  /** Where flows go that no rule is about; undefined where they are refused. */
  readonly own: Way | undefined;
  /** The profile goes out without a proxy. */
  readonly isDirect: boolean;
  readonly isolation: () => Promise<IsolationFacts>;
}

/** Does not reject for what it finds. */
export async function checkLane(lane: LaneUnderCheck, probe: Probe): Promise<CheckReport> {
  using evidence = new Evidence(lane);
  return await new LaneCheck(lane, probe, evidence).run();
}

class LaneCheck {
  readonly #lane: LaneUnderCheck;
  readonly #probe: Probe;
  readonly #evidence: Evidence;
  readonly #findings = new Findings();
  readonly #begin = performance.now();

  constructor(lane: LaneUnderCheck, probe: Probe, evidence: Evidence) {
    this.#lane = lane;
    this.#probe = probe;
    this.#evidence = evidence;
  }

  async run(): Promise<CheckReport> {
    await Promise.all([this.#reach(), this.#fromInside(), this.#isolation()]);
    this.#bypass();
    // All at once, so in the order in which people think of them.
    this.#findings.sort();
    return this.#findings.report();
  }

  #left(ms: number): number {
    return Math.max(1, Math.min(ms, wholeMs - since(this.#begin)));
  }

  /** Whether the proxy is there, as the lane itself looks for it. */
  async #reach(): Promise<void> {
    const { own, isDirect } = this.#lane;
    if (own === undefined || isDirect) return;
    const begin = performance.now();
    const isThere = await own.look(this.#left(reachMs));
    if (isThere) {
      this.#findings.add('reach', 'ok', phrase('test.reached', { where: own.via }), { ms: since(begin) });
      return;
    }
    const failure: Failure = own.state.trouble ?? { code: 'proxy-unreachable' };
    this.#findings.add('reach', 'failed', shortly(failure), { ms: since(begin), failure });
  }

  async #fromInside(): Promise<void> {
    const { web, resolver, name } = this.#probe;
    const context = { evidence: this.#evidence, findings: this.#findings, inside: this.#lane.inside };
    const [found4, found6] = await Promise.all([
      askInside(context, { resolver, name, type: 'A', transport: 'udp' }),
      askInside(context, { resolver, name, type: 'AAAA', transport: 'tcp' }),
    ]);
    const address4 = web.kind === 'ipv4' ? web.host : web.kind === 'name' ? found4 : undefined;
    const address6 = web.kind === 'ipv6' ? web.host : web.kind === 'name' ? found6 : undefined;
    await Promise.all([this.#web(address4, address6), this.#ipv6(address6), this.#udp(address4 ?? address6)]);
  }

  async #web(address4: string | undefined, address6: string | undefined): Promise<void> {
    const address = address4 ?? address6;
    if (address === undefined) {
      this.#unasked('web');
      return;
    }
    const exit = await probePage(
      { evidence: this.#evidence, findings: this.#findings, inside: this.#lane.inside },
      {
        stage: 'web',
        url: this.#probe.url,
        address,
        port: this.#probe.web.port,
        deadlineMs: this.#left(wholeMs),
      },
    );
    if (exit === undefined) return;
    this.#findings.exitAddress = exit;
    const key = this.#lane.isDirect ? 'check.exit-own' : 'test.exit';
    this.#findings.add('exit-address', 'ok', phrase(key, { address: exit }));
  }

  async #ipv6(address: string | undefined): Promise<void> {
    if (!this.#lane.inside.hasIpv6) {
      this.#findings.add('ipv6', 'refused', phrase('check.ipv6-none'));
      return;
    }
    const port = address === undefined ? ipv6Target.port : this.#probe.web.port;
    await probePage(
      { evidence: this.#evidence, findings: this.#findings, inside: this.#lane.inside },
      {
        stage: 'ipv6',
        url: this.#probe.url,
        address: address ?? ipv6Target.host,
        port,
        deadlineMs: this.#left(ipv6Ms),
      },
    );
  }

  async #udp(address: string | undefined): Promise<void> {
    if (address === undefined) {
      this.#unasked('udp');
      return;
    }
    await probeUdp(
      { evidence: this.#evidence, findings: this.#findings, inside: this.#lane.inside },
      { address, port: this.#probe.web.port, deadlineMs: this.#left(udpMs), isOffered: this.#offersUdp() },
    );
  }

  #offersUdp(): boolean {
    return this.#lane.own !== undefined && this.#lane.own.udp !== 'none';
  }

  #unasked(stage: CheckStage): void {
    const where = authorityOf(this.#probe.web);
    const failure = failureSaying('probe-unreachable', phrase('check.no-address', { where }));
    this.#findings.add(stage, 'unknown', shortly(failure), { failure });
  }

  async #isolation(): Promise<void> {
    const begin = performance.now();
    const { inside, escaped, apart, hidden, interfaces } = await this.#lane.isolation();
    const extras = { ms: since(begin) };
    if (escaped.length > 0) {
      const processes = namesOf(escaped);
      const failure = failureSaying('leak-found', phrase('check.escaped', { processes }));
      const said = phrase('check.process-escaped', { processes });
      this.#findings.add('isolation', 'leak', said, { ...extras, failure });
      return;
    }
    const doubt = doubtOf(interfaces?.filter((name) => name !== 'lo' && name !== 'app0') ?? [], hidden);
    if (doubt !== undefined) {
      this.#findings.add('isolation', 'unknown', doubt, extras);
      return;
    }
    let said = inside === 1 ? phrase('check.inside-one') : phrase('check.inside', { count: inside });
    if (apart > 0) said = phrase('check.apart', { inside: said, apart });
    if (interfaces !== undefined) said = phrase('check.only-link', { inside: said });
    this.#findings.add('isolation', inside > 0 ? 'ok' : 'unknown', said, extras);
  }

  #bypass(): void {
    const { carried, leaked } = this.#evidence;
    if (leaked > 0) {
      const said = phrase('check.bypass-leak', { leaked, all: leaked + carried });
      this.#findings.add('bypass', 'leak', said, { failure: failureSaying('leak-found', said) });
    } else if (carried === 0) {
      this.#findings.add('bypass', 'unknown', phrase('check.bypass-none'));
    } else {
      this.#findings.add('bypass', 'ok', phrase('check.bypass', { carried }));
    }
  }
}

/** What keeps a lane from being called isolated, if anything does. */
function doubtOf(others: readonly string[], hidden: readonly NamedProcess[]): Phrase | undefined {
  const doubts = [
    ...(others.length > 0 ? [phrase('check.interfaces', { interfaces: others.slice(0, 3) })] : []),
    ...(hidden.length > 0 ? [phrase('check.hidden', { processes: namesOf(hidden) })] : []),
  ];
  return doubts.length === 0 ? undefined : phrase('check.doubts', { doubts: { clauses: doubts } });
}

function namesOf(processes: readonly NamedProcess[]): string[] {
  return processes.slice(0, 3).map(({ name, pid }) => `${name} (${pid})`);
}
