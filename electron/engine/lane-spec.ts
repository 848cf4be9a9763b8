/** What is asked of an engine when an app is to be started, and what it answers when the app ends. */
import type { Failure } from '#shared/failure.ts';
import type { LaunchPayload } from '#shared/launch-payload.ts';
import type { Mode, Terminal } from '#shared/helper-protocol.ts';
import type { DnsMode, Isolation } from '#shared/model.ts';
import type { Phrase } from '#shared/phrase.ts';
import type { Profile, Rule } from '#shared/profile.ts';
import type { HelperAhead } from './helper-ahead.ts';

/**
 * The profile of a lane: one of the configuration, by its id, or one that was given on the command line, with the
 * passwords of its servers by their ids. To the latter only the rules apply that came with it.
 */
export type ProfileChoice =
  | { readonly kind: 'stored'; readonly id: string }
  | {
      readonly kind: 'given';
      readonly profile: Profile;
      readonly passwords: ReadonlyMap<string, string>;
      readonly rules: readonly Rule[];
    };

/** How names are answered; `resolver` is for `remote`: an address with optional port, textual. */
export interface DnsChoice {
  readonly mode: DnsMode;
  readonly resolver?: string;
}

export interface LaneSpec {
  /** Shown to the user; usually the base name of the command. */
  readonly name: string;
  /** What rules and bindings may call the app: its id first, then the name of its program, its path. */
  readonly apps: readonly [string, ...string[]];
  readonly profile: ProfileChoice;
  /** How its network is to be made; by default as the engine was told. */
  readonly isolation?: Isolation;
  readonly payload: LaunchPayload;
  readonly terminal: Terminal;
  /** Descriptors of this process that become the app's stdin, stdout and stderr; they stay open here. */
  readonly stdio: readonly [number, number, number];
}

/** What the helper said of itself once it is ready. */
export interface HelperInfo {
  readonly mode: Mode;
  /** Why this way was taken, for the user. */
  readonly why: Phrase;
  /** Session id of the helper; when it is not the caller's, a terminal has to be passed on by a pty. */
  readonly session: number;
}

/** How the app that a lane was made for ended. `failed` means that it never started. */
export type AppExit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface EngineOptions {
  /** For lanes that do not say it themselves. */
  readonly isolation: Isolation;
  /** Whether sudo may ask for a password on the terminal of this process. */
  readonly hasTerminal: boolean;
  /** Directory of the built product (where bin/, native/ and helper.cjs are). */
  readonly productDir: string;
  /** A helper that was begun already. */
  readonly ahead?: HelperAhead | undefined;
}
