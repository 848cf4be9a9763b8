/** A question to somebody else's resolver from inside a lane: Culvert has to answer it, whoever was asked. */
import { once } from 'node:events';
import { failureSaying } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { authorityOf, type Destination } from '../upstream/destination.ts';
import { answerTo, questionFor, type ResolverAnswer } from './dns-question.ts';
import type { Evidence } from './evidence.ts';
import { since, type Findings } from './findings.ts';
import { freshPort, type Inside } from './inside.ts';
import { within } from './limit.ts';
import { askByTcp } from './streams.ts';

const wholeMs = 1800;
/** A datagram may be lost. */
const againMs = 600;

/** What every probe from inside works with. */
export interface ProbeContext {
  readonly inside: Inside;
  readonly evidence: Evidence;
  readonly findings: Findings;
}

export interface DnsProbe {
  readonly resolver: Destination;
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  readonly transport: 'udp' | 'tcp';
}

/** Asks, and adds a line. Answers an address of the type that was asked for, if there is one. */
export async function askInside(context: ProbeContext, probe: DnsProbe): Promise<string | undefined> {
  const { evidence, findings } = context;
  const { resolver, name, type, transport } = probe;
  const question = questionFor(name, type);
  const asked = { where: authorityOf(resolver), transport: transport.toUpperCase() };
  const begin = performance.now();
  evidence.asks(question);
  const answer = await ask(context, probe, question);
  const isSeen = evidence.hasSeen(question);
  const ms = since(begin);
  if (isSeen) evidence.carried += 1;
  if (answer !== undefined && !isSeen) {
    evidence.leaked += 1;
    const said = phrase('check.dns-leak', asked);
    findings.add('dns', 'leak', said, { ms, failure: failureSaying('leak-found', said) });
  } else if (answer === undefined) {
    const failure = failureSaying('dns-failed', phrase('check.dns-silent', asked));
    const said = phrase(isSeen ? 'check.dns-none' : 'check.dns-unseen', asked);
    findings.add('dns', isSeen ? 'failed' : 'unknown', said, { ms, failure });
  } else if (!answer.isUseful) {
    const said = phrase('check.dns-code', { ...asked, code: answer.code });
    const failure = { code: 'dns-failed', detail: answer.code } as const;
    findings.add('dns', 'failed', said, { ms, failure });
  } else {
    findings.add('dns', 'ok', phrase('check.dns', asked), { ms });
  }
  return answer?.addresses[0];
}

/** Undefined where nothing came, for whatever reason: there is nothing to be told apart by. */
async function ask(
  context: ProbeContext,
  { transport, resolver }: DnsProbe,
  question: Buffer,
): Promise<ResolverAnswer | undefined> {
  const run = transport === 'udp' ? byUdp : byTcp;
  try {
    const never = new AbortController().signal;
    return await within(
      wholeMs,
      never,
      () => new Error('late'),
      (signal) => run(context.inside, resolver, question, signal),
    );
  } catch {
    // The line says what the engine has seen; why the system had no answer does not change that.
    return undefined;
  }
}

async function byTcp(
  inside: Inside,
  resolver: Destination,
  question: Buffer,
  signal: AbortSignal,
): Promise<ResolverAnswer> {
  const to = { address: resolver.host, port: resolver.port };
  const socket = await inside.connect(to, freshPort(), signal);
  try {
    return await askByTcp(socket, Buffer.alloc(0), question, signal);
  } finally {
    socket.destroy();
  }
}

async function byUdp(
  inside: Inside,
  resolver: Destination,
  question: Buffer,
  signal: AbortSignal,
): Promise<ResolverAnswer> {
  const socket = await inside.datagrams({ address: resolver.host, port: resolver.port });
  const send = (): void => {
    // A refusal comes as an error of the socket.
    socket.send(question, () => {});
  };
  const again = setInterval(send, againMs);
  try {
    send();
    for (;;) {
      const [message] = (await once(socket, 'message', { signal })) as [Buffer];
      const answer = answerTo(question, message);
      if (answer !== undefined) return answer;
    }
  } finally {
    clearInterval(again);
    socket.close();
  }
}
