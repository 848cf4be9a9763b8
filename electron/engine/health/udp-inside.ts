/** A datagram from inside a lane to a server, and what the engine has made of it. */
import { once } from 'node:events';
import { failureSaying, type Failure } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { authorityOf } from '../upstream/destination.ts';
import { isTrouble } from '../ways/way-health.ts';
import type { ProbeContext } from './dns-inside.ts';
import { failureIn } from './evidence.ts';
import { shortly, since } from './findings.ts';
import { familyOf } from './inside.ts';
import { isBlocked, wayOf } from './page-inside.ts';
import { versionQuestion } from './quic.ts';

export interface UdpProbe {
  readonly address: string;
  readonly port: number;
  readonly deadlineMs: number;
  /** Whether the way of the lane carries UDP, as far as is known before it is tried. */
  readonly isOffered: boolean;
}

type Said = 'answered' | 'refused' | 'silent';

/** Sends, waits for an answer or a refusal, and adds a line. A server need not answer; the engine has to know of it. */
export async function probeUdp(context: ProbeContext, probe: UdpProbe): Promise<void> {
  const { evidence, findings, inside } = context;
  const { address, port, deadlineMs } = probe;
  const begin = performance.now();
  const socket = await inside.datagrams({ address, port });
  let said: Said;
  let flow: FlowView | undefined;
  try {
    const sourcePort = socket.address().port;
    said = await send(socket, deadlineMs);
    flow = evidence.flowOf('udp', familyOf(address), sourcePort);
  } finally {
    socket.close();
  }
  const ms = since(begin);
  const where = authorityOf({ host: address, port });
  const refusal = failureIn(flow) ?? evidence.udpRefusal;
  if (said === 'answered' && flow === undefined) {
    evidence.leaked += 1;
    const leak = phrase('check.udp-leak', { where });
    findings.add('udp', 'leak', leak, { ms, failure: failureSaying('leak-found', leak) });
    return;
  }
  if (flow !== undefined || refusal !== undefined) evidence.carried += 1;
  if (flow !== undefined && flow.failure === undefined && said !== 'refused') {
    const key = said === 'silent' ? 'check.udp-silent' : 'check.udp';
    findings.add('udp', 'ok', phrase(key, { way: wayOf(flow) }), { ms });
  } else unanswered(context, refusal, { ms, said, where, isOffered: probe.isOffered });
}

function unanswered(
  { findings }: ProbeContext,
  refusal: Failure | undefined,
  { ms, said, where, isOffered }: { ms: number; said: Said; where: string; isOffered: boolean },
): void {
  if (refusal !== undefined && isTrouble(refusal)) {
    findings.add('udp', 'failed', shortly(refusal), { ms, failure: refusal });
  } else if (refusal !== undefined && isBlocked(refusal)) {
    findings.add('udp', 'refused', shortly(refusal), { ms });
  } else if (refusal?.code === 'udp-not-offered' || (said === 'refused' && !isOffered)) {
    findings.add('udp', 'refused', phrase('check.udp-none'), { ms });
  } else if (refusal !== undefined) {
    findings.add('udp', 'failed', shortly(refusal), { ms, failure: refusal });
  } else {
    const key = said === 'refused' ? 'check.udp-refused' : 'check.udp-unseen';
    findings.add('udp', 'unknown', phrase(key, { where }), { ms });
  }
}

type Socket = Awaited<ReturnType<ProbeContext['inside']['datagrams']>>;

async function send(socket: Socket, deadlineMs: number): Promise<Said> {
  try {
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(deadlineMs) });
    socket.send(versionQuestion(), () => {
      // A refusal of it comes as an error of the socket.
    });
    await answered;
    return 'answered';
  } catch (error) {
    return (error as NodeJS.ErrnoException).name === 'AbortError' ? 'silent' : 'refused';
  }
}
