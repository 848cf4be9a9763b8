/**
 * What a lane does with its flows: a profile, its rules and its ways, made ready to decide. Pure but for the ways
 * that it hands out. Must not: answer "direct" unless a rule or the profile says so (S6).
 */
import { BlockList, isIPv6 } from 'node:net';
import { CulvertError, failureSaying, type Failure } from '#shared/failure.ts';
import type { DnsChoice } from './lane-spec.ts';
import type { LaneHealth, ProfileHead, Upstream } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { findProfile, headOf, type Config, type Profile, type Rule, type Server } from '#shared/profile.ts';
import type { FlowFacts } from './rules/facts.ts';
import { Rulebook } from './rules/rulebook.ts';
import { Rewrites } from './rules/rewrites.ts';
import type { ChainSpec } from './upstream/chain.ts';
import type { Destination } from './upstream/destination.ts';
import { FailoverWay } from './ways/failover-way.ts';
import type { ProxyWay } from './ways/proxy-way.ts';
import type { Way } from './ways/way.ts';
import type { Ways } from './ways/ways.ts';

/** Private, shared and link-local addresses (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6). */
const lan = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  lan.addSubnet(net, bits, 'ipv4');
}
lan.addSubnet('fc00::', 7, 'ipv6');
lan.addSubnet('fe80::', 10, 'ipv6');

/** A decision about a flow. `lasts`: it is the same for all flows of the lane to the same destination. */
export type Decision =
  | { readonly kind: 'way'; readonly way: Way; readonly rule?: string; readonly lasts: boolean }
  | { readonly kind: 'refused'; readonly failure: Failure; readonly rule?: string }
  | { readonly kind: 'process-wanted' };

/** What a flow is known by, beside what all flows of the lane have in common. */
export type PolicyFacts = Pick<FlowFacts, 'protocol' | 'host' | 'address' | 'port' | 'process'>;

/** Where profiles come from that others name, and their passwords. */
export interface PolicySource {
  readonly config: Config;
  /** The password of a server, where one is kept. */
  readonly passwordOf: (profile: string, server: string) => Promise<string | undefined>;
}

export interface PolicySubject {
  readonly profile: Profile;
  /** What rules may call the app: its id, the name of its program, its path. */
  readonly apps: readonly string[];
  /** Given on the command line: what it is called is not an id. */
  readonly isAdHoc: boolean;
}

export class LanePolicy {
  readonly head: ProfileHead;
  readonly profile: Profile;
  readonly #subject: PolicySubject;
  readonly #rulebook: Rulebook;
  readonly #ways: ReadonlyMap<string, Way>;
  readonly #own: Way | undefined;
  /** What rules mean by the proxy: the profile's chain, also where its own action is another one. */
  readonly #proxied: Way | undefined;
  readonly #direct: Way;
  readonly #rewrites: Rewrites;

  private constructor(
    subject: PolicySubject,
    rulebook: Rulebook,
    found: {
      own: Way | undefined;
      proxied: Way | undefined;
      direct: Way;
      others: ReadonlyMap<string, Way>;
    },
  ) {
    const { id: _id, ...nameless } = headOf(subject.profile);
    this.head = subject.isAdHoc ? nameless : headOf(subject.profile);
    this.profile = subject.profile;
    this.#subject = subject;
    this.#rulebook = rulebook;
    this.#own = found.own;
    this.#proxied = found.proxied;
    this.#direct = found.direct;
    this.#ways = found.others;
    this.#rewrites = new Rewrites(subject.profile.rewrites ?? []);
  }

  /** Throws `rule-invalid`, `proxy-url-invalid` or `profile-unknown`. */
  static async make(subject: PolicySubject, source: PolicySource, ways: Ways): Promise<LanePolicy> {
    const { profile } = subject;
    const rules = source.config.rules.filter(({ match }) => concerns(match.profiles, profile.id));
    const others = new Map<string, Way>();
    for (const { action, profile: other, isOff } of rules) {
      if (action !== 'profile' || other === undefined || isOff === true || others.has(other)) continue;
      const way = await wayOf(profileOf(source.config, other), source, ways);
      if (way !== undefined) others.set(other, way);
    }
    const own = await wayOf(profile, source, ways);
    // Without a server of its own, as the built-in ones are, what is not blocked goes the profile's way.
    const wantsChain = profile.chain.servers.length > 0 && rules.some(isProxying);
    const isOther = profile.action !== 'proxy' && wantsChain;
    return new LanePolicy(subject, Rulebook.compile(rules), {
      own,
      proxied: isOther ? await withFailover(profile, source, ways) : own,
      direct: ways.direct(profile.egress),
      others,
    });
  }

  /** What happens where no rule matches, for people. */
  get via(): string {
    return this.#own?.via ?? 'blocked';
  }

  get health(): { readonly health: LaneHealth; readonly trouble?: Failure } {
    return this.#own?.state ?? { health: 'reachable' };
  }

  /** Whether the user is to choose what to do now: the chain is lost, and the profile wants to be asked. */
  get asks(): boolean {
    return this.profile.failure.policy === 'ask' && this.health.health === 'unreachable';
  }

  get dns(): DnsChoice {
    const { mode, resolver } = this.profile.dns;
    return { mode, ...(resolver === undefined ? {} : { resolver }) };
  }

  get isUdpBlocked(): boolean {
    return this.profile.udp === 'block';
  }

  /** Whether names may be answered with IPv6 addresses. */
  get carriesIpv6(): boolean {
    return this.profile.ipv6 === 'allow' && (this.#own?.carriesIpv6 ?? false);
  }

  get wantsServerName(): boolean {
    return this.#rulebook.wantsServerName;
  }

  /** The way of what the lane asks by itself: names in `remote` mode. */
  get own(): Way | undefined {
    return this.#own;
  }

  /** All ways that it may choose. */
  get ways(): ReadonlySet<Way> {
    const own = [this.#own, this.#proxied].filter((way) => way !== undefined);
    return new Set([this.#direct, ...own, ...this.#ways.values()]);
  }

  /** Another destination where the profile has one for this. */
  rewrite(destination: Destination): Destination {
    return this.#rewrites.apply(destination);
  }

  decide(facts: PolicyFacts): Decision {
    const { profile, apps } = this.#subject;
    const failure = refusalBeforeRules(profile, facts);
    if (failure !== undefined) return { kind: 'refused', failure };
    const verdict = this.#rulebook.decide({ ...facts, apps, profile: profile.id });
    if (verdict === 'process-wanted') return { kind: 'process-wanted' };
    // What was asked about a process, or read from first bytes, is not the same for the next flow.
    const lasts = facts.process === undefined;
    if (verdict === undefined) return this.#byProfile(facts, lasts);
    const { rule } = verdict;
    const named = rule === undefined ? {} : { rule };
    switch (verdict.action) {
      case 'block':
        return { kind: 'refused', failure: { code: 'blocked-by-rule', detail: rule ?? '' }, ...named };
      case 'direct':
        return { kind: 'way', way: this.#direct, lasts, ...named };
      case 'profile':
        return wayOrRefusal(this.#ways.get(verdict.profile ?? ''), lasts, named);
      case 'proxy':
        return wayOrRefusal(this.#proxied, lasts, named);
    }
  }

  #byProfile(facts: PolicyFacts, lasts: boolean): Decision {
    const choice = this.profile.hostAccess.lan;
    if (choice !== 'profile' && facts.address !== undefined && isLan(facts.address)) {
      if (choice === 'direct') return { kind: 'way', way: this.#direct, lasts };
      return {
        kind: 'refused',
        failure: failureSaying('destination-blocked', phrase('connection.local-closed')),
      };
    }
    return wayOrRefusal(this.#own, lasts, {});
  }
}

/** What a profile refuses whatever its rules say; undefined where they are asked. */
export function refusalBeforeRules(
  { udp, ipv6 }: Pick<Profile, 'udp' | 'ipv6'>,
  { protocol, address }: Pick<PolicyFacts, 'protocol' | 'address'>,
): Failure | undefined {
  if (protocol === 'udp' && udp === 'block')
    return failureSaying('destination-blocked', phrase('connection.udp-off'));
  if (ipv6 === 'block' && address?.includes(':') === true)
    return failureSaying('destination-blocked', phrase('connection.ipv6-off'));
  return undefined;
}

function wayOrRefusal(way: Way | undefined, lasts: boolean, named: { rule?: string }): Decision {
  if (way === undefined) return { kind: 'refused', failure: { code: 'blocked-by-profile' }, ...named };
  return { kind: 'way', way, lasts, ...named };
}

function isLan(address: string): boolean {
  return lan.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Rules that name other profiles only never decide here: left out, the rulebook is smaller. */
function concerns(profiles: readonly string[] | undefined, id: string): boolean {
  return profiles === undefined || profiles.length === 0 || profiles.includes(id);
}

function isProxying({ action, isOff }: Rule): boolean {
  return action === 'proxy' && isOff !== true;
}

function profileOf(config: Config, id: string): Profile {
  const found = findProfile(config, id);
  if (found === undefined) throw new CulvertError('profile-unknown', { detail: id });
  return found;
}

/** The way of a profile's own action; undefined where that is to refuse. */
async function wayOf(profile: Profile, source: PolicySource, ways: Ways): Promise<Way | undefined> {
  switch (profile.action) {
    case 'block':
      return undefined;
    case 'direct':
      return ways.direct(profile.egress);
    case 'proxy':
      return await withFailover(profile, source, ways);
  }
}

async function withFailover(profile: Profile, source: PolicySource, ways: Ways): Promise<Way> {
  const first = await chainOf(profile, source, ways);
  const { policy, profile: other } = profile.failure;
  if (policy !== 'failover' || other === undefined) return first;
  const second = profileOf(source.config, other);
  // Never directly: only the chain of the other one is taken, whatever its action is.
  return new FailoverWay(first, await chainOf(second, source, ways));
}

async function chainOf(profile: Profile, source: PolicySource, ways: Ways): Promise<ProxyWay> {
  return ways.chain(await chainSpecOf(profile, source.passwordOf));
}

/** The chain of a profile: its servers that are on, with their passwords. */
export async function chainSpecOf(
  { id, chain, egress }: Pick<Profile, 'id' | 'chain' | 'egress'>,
  passwordOf: PolicySource['passwordOf'],
): Promise<ChainSpec> {
  const { mode, length, servers } = chain;
  const upstreams: Upstream[] = [];
  for (const server of servers) {
    if (server.isOff === true) continue;
    const password = server.user === undefined ? undefined : await passwordOf(id, server.id);
    upstreams.push(upstreamOf(server, password));
  }
  return {
    mode,
    upstreams,
    ...(length === undefined ? {} : { length }),
    ...(egress === undefined ? {} : { egress }),
  };
}

/** A server with its password. */
export function upstreamOf(server: Server, password: string | undefined): Upstream {
  const { id: _id, isOff: _isOff, user, fingerprint, timeoutMs, ...rest } = server;
  return {
    ...rest,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
