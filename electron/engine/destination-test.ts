/**
 * What would happen to a connection, and why: for `culvert rule test` and the window. Decided by the same policy as
 * on a lane. Must not: read a password, look up a name or send anything.
 */
import { isIP } from 'node:net';
import { CulvertError, type Failure } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Config, Profile } from '#shared/profile.ts';
import { LanePolicy, type Decision, type PolicyFacts } from './lane-policy.ts';
import type { Explanation } from './rules/explanation.ts';
import { Rulebook } from './rules/rulebook.ts';
import { Ways } from './ways/ways.ts';

export interface TestedConnection {
  /** What rules may call the app: its id, the name of its program, its path. */
  readonly apps: readonly string[];
  readonly profile: Profile;
  /** `process` is undefined where it is not said. */
  readonly facts: PolicyFacts;
}

export interface TestedOutcome {
  /** `socks5://host:port`, several with arrows between, or `direct`; missing where it is refused. */
  readonly via?: string;
  readonly failure?: Failure;
  /** Id of the rule that decided. */
  readonly rule?: string;
}

export interface DestinationTest extends TestedOutcome {
  readonly explanation: Explanation;
  /** A rule asks for the process, which was not said: the outcome is that of a process that no rule names. */
  readonly isProcessWanted: boolean;
}

/** Throws `rule-invalid`, `proxy-url-invalid` or `profile-unknown`. */
export async function testDestination(config: Config, asked: TestedConnection): Promise<DestinationTest> {
  const { apps, profile, facts } = asked;
  const ways = new Ways({ now: () => 0, tcpSocketOn: unused });
  const source = { config, passwordOf: () => Promise.resolve(undefined) };
  const policy = await LanePolicy.make({ profile, apps, isAdHoc: false }, source, ways);
  const first = policy.decide(facts);
  const isProcessWanted = first.kind === 'process-wanted';
  const decision = isProcessWanted ? policy.decide({ ...facts, process: null }) : first;
  const explanation = Rulebook.compile(config.rules).explain({ ...facts, apps, profile: profile.id });
  return { ...outcomeOf(decision), explanation, isProcessWanted };
}

function outcomeOf(decision: Decision): TestedOutcome {
  if (decision.kind === 'process-wanted') return {};
  const rule = decision.rule === undefined ? {} : { rule: decision.rule };
  if (decision.kind === 'refused') return { failure: decision.failure, ...rule };
  return { via: decision.way.via, ...rule };
}

function unused(): never {
  throw new Error('nothing is dialled in a test of a destination');
}

/** `host:port`, `[IPv6]:port`; a name or an address. Throws `option-invalid`. */
export function parseDestination(text: string): { host: string; port: number } {
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^[\]:/\s]+)):(?<port>[0-9]{1,5})$/.exec(text)?.groups;
  const port = Number(parts?.['port'] ?? 0);
  const host = parts?.['v6'] ?? parts?.['host'];
  const isBad = parts?.['v6'] !== undefined && isIP(parts['v6']) !== 6;
  if (host === undefined || isBad || port < 1 || port > 65_535)
    throw new CulvertError('option-invalid', {
      detail: phrase('rule.destination'),
    });
  return { host, port };
}
