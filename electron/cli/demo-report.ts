/** The words of `culvert demo`: rows for flows, and a judgement of each attempt to get around the proxy. Plain functions. */
import { sentenceOf } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import type { Outcome, ProbePlan, ProbeResult } from './demo-probe.ts';
import type { ProxyEntry } from './demo-server.ts';
import { formatBytes, printable } from './output.ts';

const widths = { time: 7, process: 13, destination: 23, bytes: 8, ms: 5 } as const;

export const flowHeading = rowText('SECONDS', 'PROCESS', 'DESTINATION', 'UP', 'DOWN', 'MS', 'VIA');

function rowText(...cells: readonly [string, string, string, string, string, string, string]): string {
  const [time, name, destination, up, down, ms, via] = cells;
  return [
    time.padStart(widths.time),
    name.padEnd(widths.process),
    destination.padEnd(widths.destination),
    up.padStart(widths.bytes),
    down.padStart(widths.bytes),
    ms.padStart(widths.ms),
    via,
  ].join('  ');
}

/** One line for a flow that has ended. `since` is when the demo began, in milliseconds since the epoch. */
export function flowRow(flow: FlowView, process: string, since: number): string {
  const destination = `${bracketed(flow.host ?? flow.address)}:${flow.port}${flow.proto === 'udp' ? '/udp' : ''}`;
  const ended = flow.closedAt ?? flow.openedAt;
  const refusal = flow.failure === undefined ? 'refused' : `refused: ${sentenceOf(flow.failure.code).what}`;
  return rowText(
    ((flow.openedAt - since) / 1000).toFixed(3),
    printable(process),
    printable(destination),
    formatBytes(flow.bytesUp),
    formatBytes(flow.bytesDown),
    String(ended - flow.openedAt),
    flow.state === 'refused' ? refusal : flow.via,
  );
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `kept`: by the proxy or not at all. `leaked`: it got past the proxy. `unclear`: it cannot be told. */
export type Mark = 'kept' | 'leaked' | 'unclear' | 'skipped';

export interface Verdict {
  readonly attempt: string;
  readonly happened: string;
  readonly mark: Mark;
}

/** Judges by what the app saw and by what the proxy wrote down. `log`: the proxy's entries from during the attempts. */
export function judge(plan: ProbePlan, result: ProbeResult, log: readonly ProxyEntry[]): Verdict[] {
  const tcp4 = `${plan.tcp4.host}:${plan.tcp4.port}`;
  const tcp6 = `[${plan.tcp6.host}]:${plan.tcp6.port}`;
  return [
    {
      attempt: `TCP to the page's real address, ${plan.page.host}:${plan.page.port}`,
      ...judgePage(result.page),
    },
    { attempt: `TCP to a public address, ${tcp4}`, ...judgeTcp(result.tcp4, plan.tcp4, log) },
    { attempt: `TCP to a public IPv6 address, ${tcp6}`, ...judgeTcp(result.tcp6, plan.tcp6, log) },
    { attempt: `UDP to a public address, ${plan.udp.host}:${plan.udp.port}`, ...judgeUdp(result.udp, log) },
    { attempt: `DNS question to a fixed resolver, ${plan.resolver}`, ...judgeDns(result.dns) },
    { attempt: `ping ${plan.ping}`, ...judgePing(result.ping) },
  ];
}

type Judgement = Omit<Verdict, 'attempt'>;

function judgePage(outcome: Outcome): Judgement {
  if (outcome.kind === 'answered')
    return { mark: 'leaked', happened: 'the page answered, and not by the proxy' };
  return { mark: 'kept', happened: `${refusedText(outcome)}; outside the lane it answers` };
}

function judgeTcp(
  outcome: Outcome,
  to: { host: string; port: number },
  log: readonly ProxyEntry[],
): Judgement {
  const entry = log.find(({ host, port }) => port === to.port && host === to.host);
  if (entry !== undefined) return { mark: 'kept', happened: `came to the proxy, which ${entry.answer} it` };
  switch (outcome.kind) {
    case 'answered':
      return { mark: 'leaked', happened: 'something answered, and the proxy knows nothing of it' };
    case 'failed':
    case 'ended':
      return { mark: 'kept', happened: refusedText(outcome) };
    default:
      return { mark: 'unclear', happened: `${outcome.detail}, and the proxy knows nothing of it` };
  }
}

function judgeUdp(outcome: Outcome, log: readonly ProxyEntry[]): Judgement {
  const isAsked = log.some(({ command }) => command === 'udp');
  switch (outcome.kind) {
    case 'answered':
      return { mark: 'leaked', happened: 'something answered, and this proxy carries no UDP' };
    case 'failed':
      return {
        mark: 'kept',
        happened: `${refusedText(outcome)}${isAsked ? '; the proxy does not offer UDP' : ''}`,
      };
    default:
      return { mark: 'unclear', happened: outcome.detail };
  }
}

function judgeDns(outcome: Outcome): Judgement {
  if (outcome.kind === 'answered') {
    return outcome.detail.split(' ').every(isFakeAddress)
      ? { mark: 'kept', happened: `answered on the lane with ${outcome.detail}, a stand-in for the name` }
      : { mark: 'leaked', happened: `answered from outside with ${outcome.detail}` };
  }
  return outcome.kind === 'failed' && outcome.detail !== 'ETIMEOUT'
    ? { mark: 'kept', happened: refusedText(outcome) }
    : { mark: 'unclear', happened: outcome.detail };
}

/** 198.18.0.0/15 (RFC 2544), from which the engine gives addresses that stand for names. */
function isFakeAddress(address: string): boolean {
  return /^198\.1[89]\./.test(address);
}

function judgePing(outcome: Outcome): Judgement {
  switch (outcome.kind) {
    case 'answered':
      return { mark: 'leaked', happened: 'an echo came back' };
    case 'failed':
      return { mark: 'kept', happened: words[outcome.detail] ?? `refused: ${outcome.detail}` };
    case 'absent':
      return { mark: 'skipped', happened: `not tried: ${outcome.detail}` };
    default:
      return { mark: 'unclear', happened: outcome.detail };
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'refused: no way there',
  ENETUNREACH: 'refused: no way there',
  EACCES: 'refused: not permitted',
  EPERM: 'refused: not permitted',
  closed: 'closed',
};

function refusedText({ kind, detail, ms }: Outcome): string {
  if (kind === 'open' || kind === 'silent') return detail;
  return `${words[detail] ?? detail} after ${ms} ms`;
}

/** The table of verdicts, each with a mark that does not need colour to be read. */
export function verdictRows(
  verdicts: readonly Verdict[],
  paint: (mark: Mark, text: string) => string,
): string[] {
  const signs: Record<Mark, string> = { kept: '✓', leaked: '✗', unclear: '?', skipped: '–' };
  const width = Math.max(...verdicts.map(({ attempt }) => attempt.length));
  return verdicts.map(
    ({ attempt, happened, mark }) =>
      `${paint(mark, signs[mark])} ${attempt.padEnd(width)}  ${printable(happened)}`,
  );
}
