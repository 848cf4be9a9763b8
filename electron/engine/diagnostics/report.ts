/**
 * The text for a report about Culvert: versions, the doctor's lines, what runs, the configuration and the newest lines
 * of the log. Pure. Must not: have a password in it, or, unless they are to be kept, a name or an address.
 */
import { describe, type Failure } from '#shared/failure.ts';
import type { LogEntry } from '#shared/log-lines.ts';
import type { FlowView, LaneView, Snapshot } from '#shared/model.ts';
import { builtInProfiles, type Config } from '#shared/profile.ts';
import type { DoctorLine } from '#shared/support-protocol.ts';
import { Redactor, type Kind, type KnownName } from './redactor.ts';
import { namesInConfig, shownConfig } from './shown-config.ts';

export interface DiagnosticFacts {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of programs and systems, by what they are called. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** The user's name, home and computer. */
  readonly own: { readonly user: string; readonly home: string; readonly computer: string };
  readonly doctor: readonly DoctorLine[];
  readonly snapshot: Snapshot;
  readonly flows: readonly FlowView[];
  readonly config: Config | Failure;
  readonly log: readonly LogEntry[];
}

export interface DiagnosticText {
  readonly text: string;
  /** How often something was taken out. */
  readonly redacted: number;
}

/** Connections that are told of, the newest ones. */
const maxFlows = 40;
/** What the log's lines have of Culvert's own, whose values say nothing of the user. */
const keptFields = new Set(
  [
    'at',
    'pid',
    'event',
    'version',
    'lane',
    'app',
    'mode',
    'ms',
    'code',
    'signal',
    'step',
    'error',
    'file',
  ].concat(['line', 'state', 'proto', 'port', 'bytesUp', 'bytesDown']),
);
const logKinds: Readonly<Record<string, Kind>> = {
  ...{ profile: 'profile', from: 'profile', to: 'profile', host: 'host', address: 'address' },
};

export function diagnosticText(facts: DiagnosticFacts, keepNames: boolean): DiagnosticText {
  const redactor = new Redactor(keepNames, namesIn(facts));
  const { at, versions, doctor, snapshot, flows, config, log } = facts;
  const sections = [
    ['Culvert', [`Made ${new Date(at).toISOString()}`, ...Object.entries(versions).map(versionLine)]],
    ['Doctor', doctor.map((line) => doctorLine(line, redactor))],
    [
      'Helpers',
      snapshot.helpers.map(
        ({ mode, state, why }) => `${mode} ${state}${why === undefined ? '' : `: ${why}`}`,
      ),
    ],
    ['Running', snapshot.lanes.flatMap((lane) => laneLines(lane, redactor))],
    ['Connections', flows.slice(-maxFlows).map((flow) => flowLine(flow, redactor))],
    ['Configuration', [configText(config, redactor)]],
    ['Log', log.map((entry) => logLine(entry, redactor))],
  ] as const;
  const text = sections
    .map(([title, lines]) => `## ${title}\n${(lines.length === 0 ? ['none'] : lines).join('\n')}\n`)
    .join('\n');
  return { text, redacted: redactor.taken };
}

function versionLine([name, version]: [string, string | undefined]): string {
  return `${name}: ${version ?? 'not known'}`;
}

function doctorLine({ outcome, what, found, todo }: DoctorLine, redactor: Redactor): string {
  const line = `${outcome.padEnd(7)} ${what}: ${redactor.sentence(found)}`;
  return todo === undefined ? line : `${line}\n        ${redactor.sentence(todo)}`;
}

function laneLines(lane: LaneView, redactor: Redactor): string[] {
  const { id, app, state, health, mode, interception, profile, via, flowsOpen, flowsTotal, notes } = lane;
  const troubles = [lane.cause, lane.trouble].filter((failure) => failure !== undefined);
  return [
    `${id} ${app} ${state} ${health} ${mode} ${interception} ${profileOf(profile.id ?? profile.name, redactor)} ` +
      `${redactor.words(via)} ${flowsOpen}/${flowsTotal}`,
    ...troubles.map((failure) => `  ${failureText(failure, redactor)}`),
    ...notes.map((note) => `  ${redactor.words(note)}`),
  ];
}

function flowLine(flow: FlowView, redactor: Redactor): string {
  const { lane, proto, state, host, address, port, via, dialMs, bytesUp, bytesDown, failure } = flow;
  const to = host === undefined ? redactor.value('address', address) : redactor.value('host', host);
  const figures = `${dialMs ?? '-'} ms ${bytesUp}/${bytesDown} B`;
  const why = failure === undefined ? '' : ` ${failureText(failure, redactor)}`;
  return `${lane} ${proto} ${state} ${to}:${port} ${redactor.words(via)} ${figures}${why}`;
}

function failureText(
  failure: { readonly [K in keyof Failure]: Failure[K] | undefined },
  redactor: Redactor,
): string {
  const { code, step, detail } = failure;
  const words = [step, detail].filter((text) => text !== undefined).map((text) => redactor.words(text));
  return [code, ...words].join(': ');
}

function configText(config: Config | Failure, redactor: Redactor): string {
  if ('code' in config) return redactor.words(describe(config));
  return JSON.stringify(shownConfig(config, redactor), null, 2);
}

function logLine(entry: LogEntry, redactor: Redactor): string {
  const fields = Object.entries(entry).map(([key, value]) => {
    if (typeof value !== 'string' || keptFields.has(key)) return [key, value];
    const kind = logKinds[key];
    if (kind === 'profile') return [key, profileOf(value, redactor)];
    return [key, kind === undefined ? redactor.words(value) : redactor.value(kind, value)];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

/** What was typed on a command line has no name in the log. */
function profileOf(name: string, redactor: Redactor): string {
  const isOurs = [...builtInProfiles, 'command line'].includes(name);
  return isOurs ? name : redactor.value('profile', name);
}

function namesIn({ own, config, snapshot, flows }: DiagnosticFacts): KnownName[] {
  const everywhere = (kind: Kind, value: string): KnownName => ({ kind, value, isEverywhere: true });
  const hosts = flows.flatMap(({ host, serverName }) =>
    [host, serverName].filter((name) => name !== undefined),
  );
  return [
    ...[everywhere('text', own.home), everywhere('text', own.computer)],
    // Root is nobody's name.
    ...(own.user === 'root' ? [] : [everywhere('user', own.user)]),
    ...[...new Set(hosts)].map((host) => everywhere('host', host)),
    ...snapshot.lanes.map(({ profile }): KnownName => {
      return { kind: 'profile', value: profile.name, isEverywhere: false };
    }),
    ...('code' in config ? [] : namesInConfig(config)),
  ];
}
