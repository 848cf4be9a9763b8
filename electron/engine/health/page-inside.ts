/** A web request from inside a lane, and what the engine has seen of it. */
import { CulvertError, failureOf, type Failure, type FailureCode } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import { authorityOf } from '../upstream/destination.ts';
import { isTrouble } from '../ways/way-health.ts';
import type { ProbeContext } from './dns-inside.ts';
import { failureIn } from './evidence.ts';
import { sentenceFor, since } from './findings.ts';
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
    const failure: Failure = { code: 'destination-unreachable', detail: trouble?.detail ?? where };
    const outcome = stage === 'ipv6' ? 'refused' : 'failed';
    findings.add(stage, outcome, sentenceFor(failure), { ms: since(begin), failure });
    return undefined;
  }
  const ms = since(begin);
  if (flow !== undefined) evidence.carried += 1;
  else if (answer !== undefined) evidence.leaked += 1;
  if (answer !== undefined && flow === undefined) {
    const detail = `${where} answered by a way that is not Culvert’s${seen(answer)}`;
    findings.add(stage, 'leak', detail, { ms, failure: { code: 'leak-found', detail } });
  } else if (answer !== undefined && flow !== undefined) {
    findings.add(stage, 'ok', `${probe.url.host} answers with status ${answer.status}, ${wayOf(flow)}`, {
      ms,
    });
    return answer.address;
  } else unanswered(context, probe, flow, { ms, trouble });
  return undefined;
}

async function ask({ inside }: ProbeContext, probe: PageProbe, sourcePort: number): Promise<Attempt> {
  const { url, address, port, deadlineMs } = probe;
  const never = new AbortController().signal;
  const late = (): Error =>
    new CulvertError('probe-unreachable', { detail: `no answer within ${deadlineMs / 1000} s` });
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
  const why = failure?.detail ?? trouble?.detail ?? 'no answer';
  const where = stage === 'web' ? url.host : authorityOf({ host: address, port });
  const beyond: Failure = { code: 'probe-unreachable', detail: `${where}: ${why}` };
  if (flow === undefined) {
    const text = `${sentenceFor(beyond)}; Culvert has not seen the connection either`;
    findings.add(stage, 'unknown', text, { ms, failure: beyond });
  } else if (failure !== undefined && isBlocked(failure)) {
    findings.add(stage, 'refused', sentenceFor(failure), { ms });
  } else if (failure !== undefined && isTrouble(failure)) {
    findings.add(stage, 'failed', sentenceFor(failure), { ms, failure });
  } else if (stage === 'ipv6' && flow.dialMs !== undefined) {
    findings.add(stage, 'ok', `IPv6 is carried, ${wayOf(flow)}; the page does not answer by it`, { ms });
  } else if (stage === 'ipv6') {
    findings.add(stage, 'refused', `Culvert has taken the connection, and it came to nothing: ${why}`, {
      ms,
    });
  } else findings.add(stage, 'unknown', sentenceFor(beyond), { ms, failure: beyond });
}

/** For people: by which proxies, or that there were none. */
export function wayOf({ via, rule }: FlowView): string {
  const because = rule === undefined ? '' : ` (rule ${rule})`;
  return `${via.startsWith('direct') ? 'reached without a proxy' : `through ${via}`}${because}`;
}

function seen({ address }: WebAnswer): string {
  return address === undefined ? '' : `, and saw ${address}`;
}
