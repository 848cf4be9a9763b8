/** Everything that Electron's main process itself says to people. A language that lacks a word does not compile. */
import type { builtInProfiles } from '#shared/profile.ts';
import type { Failure } from '#shared/failure.ts';
import type { Phrase } from '#shared/phrase.ts';
import type { Standing } from '#shared/standing.ts';

export interface Words {
  /** The sentence of a failure: what, why, what to do. */
  readonly failure: (failure: Failure) => string;
  /** What an engine said, in English where it is not known. */
  readonly said: (said: { readonly text: string; readonly phrase?: Phrase | undefined }) => string;
  readonly status: {
    readonly engineFailed: string;
    readonly silent: string;
    readonly blocked: string;
    readonly unreachable: string;
    readonly idle: string;
    readonly unprotected: (unprotected: number, all: number) => string;
    readonly protected: (count: number) => string;
    readonly offline: (count: number) => string;
  };
  readonly standing: Readonly<Record<Standing, string>>;
  /** Profiles that nobody has named. */
  readonly builtIn: Readonly<Record<(typeof builtInProfiles)[number], string>>;
  readonly menu: {
    readonly open: string;
    readonly openApp: string;
    readonly recent: string;
    readonly defaultProfile: string;
    readonly asksEachTime: string;
    readonly more: string;
    readonly proxy: string;
    readonly check: string;
    readonly stop: string;
    readonly proxying: string;
    readonly block: string;
    readonly settings: string;
    readonly quit: string;
  };
  readonly ask: {
    readonly cancel: string;
    readonly close: string;
    readonly proxyOff: (apps: string) => string;
    readonly proxyOffDetail: string;
    readonly proxyOffYes: string;
    readonly typed: (apps: string) => string;
    readonly typedDetail: string;
    readonly typedYes: string;
    readonly quit: (count: number) => string;
    readonly quitDetail: (apps: string) => string;
    readonly keepRunning: string;
    readonly stopApps: string;
    readonly notStopped: (apps: string) => string;
    readonly notStoppedDetail: string;
    readonly force: string;
    readonly closing: string;
    readonly closingDetail: string;
    readonly hide: string;
    readonly quitWindow: string;
    readonly remember: string;
    readonly failed: (app: string) => string;
    readonly checked: (app: string, outcome: 'ok' | 'failed' | 'leak' | 'unknown') => string;
  };
  readonly notice: {
    readonly lost: (profile: string) => string;
    readonly lostText: (apps: string) => string;
    readonly restored: (profile: string) => string;
    readonly restoredText: (apps: string) => string;
    readonly escaped: (app: string) => string;
    readonly escapedText: string;
    readonly leak: (app: string) => string;
    readonly leakText: string;
    readonly background: string;
    readonly backgroundText: string;
  };
}
