/**
 * What an engine writes down of itself: JSON lines in `stateDir()/engine.log`.
 *
 * Does: tell when the engine, its helper, its lanes and their chains begin, change, fail and end. Must not: write a
 * password ever, or, unless CULVERT_LOG is `debug`, where an app has gone to (S58). Both are seen to in `#write`, which
 * every line passes: of a failure only the code is written, and what looks like an address is taken out.
 */
import type { Failure } from '#shared/failure.ts';
import type { FlowView, HelperView, LaneView } from '#shared/model.ts';
import { engineLogPath } from '#shared/paths.ts';
import { version } from '#shared/version.ts';
import type { AppExit } from './lane-spec.ts';
import { LogFile } from './log-file.ts';

export const logLevels = ['off', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogEvent =
  | `engine.${'started' | 'ended' | 'failed'}`
  | `helper.${HelperView['state'] | 'failed'}`
  | `lane.${'opened' | 'switched' | 'failed' | 'ended'}`
  | `chain.${'unreachable' | 'reachable'}`
  | 'config.problem'
  | 'flow.ended';

/** A failure as the contract has it, where what is missing may also be undefined. */
type FailureLike = { readonly [K in keyof Failure]: Failure[K] | undefined };
type Fields = Readonly<Record<string, string | number | undefined>>;

/** What is known of a lane by those who follow it. */
export interface LoggedLane {
  readonly id: string;
  readonly startedAt: number;
  readonly exit: Promise<AppExit>;
  readonly empty: Promise<unknown>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly append: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class EngineLog {
  readonly #options: LogOptions;
  readonly #lanes = new Map<string, Pick<LaneView, 'state' | 'health' | 'profile' | 'via'>>();
  readonly #helpers = new Map<HelperView['mode'], HelperView['state']>();
  readonly #onFatal = (error: unknown): void => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    // The place is ours, the message may be anybody's.
    const [, file, line] = /^\s*at .*?([^/\\()]+):([0-9]+):[0-9]+\)?$/m.exec(stack ?? '') ?? [];
    this.#write('engine.failed', { error: name, file, line: Number(line) }, { message });
  };

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** The log of this user's engines, as CULVERT_LOG wants it. */
  static open(env: NodeJS.ProcessEnv = process.env): EngineLog {
    const level = logLevels.find((name) => name === env['CULVERT_LOG']) ?? 'info';
    let file: LogFile | undefined;
    return new EngineLog({
      level,
      now: Date.now,
      append: (line) => {
        file ??= new LogFile(engineLogPath(env));
        file.append(line);
      },
    });
  }

  begin(): void {
    this.#write('engine.started', { version });
    process.on('uncaughtExceptionMonitor', this.#onFatal);
  }

  end(): void {
    process.off('uncaughtExceptionMonitor', this.#onFatal);
    this.#write('engine.ended');
  }

  helperFailed(failure: Failure): void {
    this.#failed('helper.failed', {}, failure);
  }

  configProblem(failure: Failure): void {
    this.#failed('config.problem', {}, failure);
  }

  /** Writes down how a lane ends. */
  follow({ id, startedAt, exit, empty }: LoggedLane): void {
    void Promise.all([exit, empty]).then(([how]) => {
      this.#lanes.delete(id);
      const ms = this.#options.now() - startedAt;
      if (how.kind === 'failed') this.#failed('lane.ended', { lane: id, ms }, how.failure);
      else
        this.#write('lane.ended', { lane: id, ms, [how.kind]: how.kind === 'code' ? how.code : how.signal });
    });
  }

  /** Writes down what is different from the last look. */
  look(helpers: readonly HelperView[], lanes: readonly LaneView[]): void {
    const gone = new Set(this.#helpers.keys());
    for (const { state, mode, why } of helpers) {
      gone.delete(mode);
      if (state !== this.#helpers.get(mode)) this.#write(`helper.${state}`, { mode, why });
      this.#helpers.set(mode, state);
    }
    for (const mode of gone) this.#helpers.delete(mode);
    for (const lane of lanes) this.#compare(lane);
  }

  /** A flow has changed: where it went is for `debug` only. */
  flow({ state, lane, proto, host, address, port, via, rule, bytesUp, bytesDown, failure }: FlowView): void {
    if (this.#options.level !== 'debug' || state === 'dialling' || state === 'open') return;
    const details = { proto, host, address, port, via, rule, bytesUp, bytesDown };
    this.#write('flow.ended', { lane, state, code: failure?.code }, { ...details, detail: failure?.detail });
  }

  #compare({ id, app, profile, via, mode, health, trouble, state, cause }: LaneView): void {
    const before = this.#lanes.get(id);
    const lane = { lane: id };
    if (state === 'gone') return;
    this.#lanes.set(id, { state, health, profile, via });
    if (state === 'running' && before?.state !== 'running' && before?.state !== 'stopping')
      this.#write('lane.opened', { ...lane, app, profile: nameOf(profile), mode }, { via });
    if (before !== undefined && nameOf(profile) !== nameOf(before.profile))
      this.#write('lane.switched', { ...lane, from: nameOf(before.profile), to: nameOf(profile) }, { via });
    if (state === 'failed' && before?.state !== 'failed')
      this.#failed('lane.failed', lane, cause ?? { code: 'internal' });
    if (health === 'unreachable' && before?.health !== 'unreachable')
      this.#failed('chain.unreachable', lane, trouble ?? { code: 'proxy-unreachable' }, { via });
    if (health === 'reachable' && before?.health === 'unreachable')
      this.#write('chain.reachable', lane, { via });
  }

  #failed(event: LogEvent, fields: Fields, failure: FailureLike, details: Fields = {}): void {
    const { code, step, detail } = failure;
    this.#write(event, { ...fields, code, step }, { ...details, detail });
  }

  /** The one way to the file. `details` may name destinations. */
  #write(event: LogEvent, fields: Fields = {}, details: Fields = {}): void {
    const { level, now, append } = this.#options;
    if (level === 'off') return;
    const isDebug = level === 'debug';
    const shown = Object.entries(isDebug ? { ...fields, ...details } : fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? redact(value, isDebug) : value,
    ]);
    const at = new Date(now()).toISOString();
    append(JSON.stringify({ at, pid: process.pid, event, ...Object.fromEntries(shown) }));
  }
}

/** A profile that was given on the command line has no id, and its name may be that of a server. */
function nameOf({ id }: LaneView['profile']): string {
  return id ?? 'command line';
}

/** Longer texts are cut: a line stays one short write, and looking through it takes no time. */
const maxText = 500;

/** A text without passwords and, unless they are wanted, without addresses and hosts with ports. */
export function redact(text: string, keepsAddresses: boolean): string {
  // What was cut in two may have been a password.
  const cut = text.length > maxText ? `${text.slice(0, maxText).replace(/:\/\/[^\s/@]*$/, '://')}…` : text;
  const nameless = cut.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1…@');
  if (keepsAddresses) return nameless;
  return nameless
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s)]+/gi, '…')
    .replace(/\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b(?::[0-9]+)?/g, '…')
    .replace(/\[?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*\]?(?::[0-9]+)?/gi, '…')
    .replace(/\b[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+:[0-9]+/gu, '…');
}
