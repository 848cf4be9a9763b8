/** A web request from inside a lane, and what the engine has seen of it. */
import { CulvertError, failureOf, failureSaying, type Failure, type FailureCode } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import { authorityOf } from '../upstream/destination.ts';
import { isTrouble } from '../ways/way-health.ts';
import type { ProbeContext } from './dns-inside.ts';
import { failureIn } from './evidence.ts';
import { shortly, since } from './findings.ts';
import { familyOf, freshPort } from './inside.ts';
import { within } from './limit.ts';
import { askWeb, type WebAnswer } from './web-request.ts';

export interface PageProbe {
  readonly stage: 'web' | 'ipv6';
  readonly url: URL;
  /** What the page's name is on this lane. */
  readonly address: string;
  readonly port: number;
  readonly deadlineMs: number;
}

/** What came of it for whoever asked. */
interface Attempt {
  readonly answer: WebAnswer | undefined;
  /** Why there is no answer. */
  readonly trouble: Failure | undefined;
  readonly isConnected: boolean;
}

/** What the profile or a rule refuses. */
const blocked: ReadonlySet<FailureCode> = new Set([
  'destination-blocked',
  'blocked-by-rule',
  'blocked-by-profile',
]);
/** Milliseconds that the table may be behind: the relay rings when it has accepted. */
const behindMs = 300;

export function isBlocked({ code }: Failure): boolean {
  return blocked.has(code);
}

/** Asks for the page, and adds a line. Answers the address that the page saw. */
export async function probePage(context: ProbeContext, probe: PageProbe): Promise<string | undefined> {
  const { evidence, findings } = context;
  const { stage, address, port } = probe;
  const begin = performance.now();
  const sourcePort = freshPort();
  const { answer, trouble, isConnected } = await ask(context, probe, sourcePort);
  const where = authorityOf({ host: address, port });
  const flow = await evidence.flowWithin(
    behindMs,
    'tcp',
    familyOf(address),
    sourcePort,
    answer === undefined,
  );
  if (flow === undefined && !isConnected) {
    const failure: Failure = { detail: where, ...trouble, code: 'destination-unreachable' };
    const outcome = stage === 'ipv6' ? 'refused' : 'failed';
    findings.add(stage, outcome, shortly(failure), { ms: since(begin), failure });
    return undefined;
  }
  const ms = since(begin);
  if (flow !== undefined) evidence.carried += 1;
  else if (answer !== undefined) evidence.leaked += 1;
  if (answer !== undefined && flow === undefined) {
    const said = leakOf(where, answer);
    findings.add(stage, 'leak', said, { ms, failure: failureSaying('leak-found', said) });
  } else if (answer !== undefined && flow !== undefined) {
    const { status } = answer;
    const said = phrase('check.page', { where: probe.url.host, status, way: wayOf(flow) });
    findings.add(stage, 'ok', said, { ms });
    return answer.address;
  } else unanswered(context, probe, flow, { ms, trouble });
  return undefined;
}

async function ask({ inside }: ProbeContext, probe: PageProbe, sourcePort: number): Promise<Attempt> {
  const { url, address, port, deadlineMs } = probe;
  const never = new AbortController().signal;
  const late = (): Error =>
    new CulvertError('probe-unreachable', {
      detail: phrase('check.page-late', { seconds: deadlineMs / 1000 }),
    });
  let isConnected = false;
  try {
    const answer = await within(deadlineMs, never, late, async (signal) => {
      const socket = await inside.connect({ address, port }, sourcePort, signal);
      isConnected = true;
      // Given up for good: the lane need not deliver what nobody waits for.
      signal.addEventListener('abort', () => socket.resetAndDestroy(), { once: true });
      return askWeb({ socket, early: Buffer.alloc(0) }, url, signal);
    });
    return { answer, isConnected, trouble: undefined };
  } catch (error) {
    return { answer: undefined, isConnected, trouble: failureOf(error) };
  }
}

function unanswered(
  { findings }: ProbeContext,
  { stage, address, port, url }: PageProbe,
  flow: FlowView | undefined,
  { ms, trouble }: { readonly ms: number; readonly trouble: Failure | undefined },
): void {
  const failure = failureIn(flow);
  const why = saidOf(failure) ?? saidOf(trouble) ?? phrase('check.no-answer');
  const where = stage === 'web' ? url.host : authorityOf({ host: address, port });
  const beyond = failureSaying('probe-unreachable', phrase('check.at', { where, why }));
  if (flow === undefined) {
    const said = phrase('check.page-unseen', { failure: beyond });
    findings.add(stage, 'unknown', said, { ms, failure: beyond });
  } else if (failure !== undefined && isBlocked(failure)) {
    findings.add(stage, 'refused', shortly(failure), { ms });
  } else if (failure !== undefined && isTrouble(failure)) {
    findings.add(stage, 'failed', shortly(failure), { ms, failure });
  } else if (stage === 'ipv6' && flow.dialMs !== undefined) {
    findings.add(stage, 'ok', phrase('check.ipv6', { way: wayOf(flow) }), { ms });
  } else if (stage === 'ipv6') {
    findings.add(stage, 'refused', phrase('check.ipv6-nothing', { why }), { ms });
  } else findings.add(stage, 'unknown', shortly(beyond), { ms, failure: beyond });
}

/** For people: by which proxies, or that there were none. */
export function wayOf({ via, rule }: FlowView): Phrase {
  const way = via.startsWith('direct') ? phrase('check.way-direct') : phrase('check.way-through', { via });
  return rule === undefined ? way : phrase('check.way-by-rule', { way, rule });
}

function leakOf(where: string, { address }: WebAnswer): Phrase {
  if (address === undefined) return phrase('check.page-leak', { where });
  return phrase('check.page-leak-seen', { where, address });
}

function saidOf(failure: Failure | undefined): Said | undefined {
  return failure?.phrase ?? failure?.detail;
}
