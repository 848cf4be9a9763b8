/** What rules are asked with, and what they answer. */
import type { ActionKind } from '#shared/profile.ts';

/** What is known of a flow when it is decided. */
export interface FlowFacts {
  readonly protocol: 'tcp' | 'udp';
  /** The name that the app asked for, or read from its first bytes; as the app wrote it. */
  readonly host?: string | undefined;
  /** The address that the app used, textual; missing where that was only a stand-in for a name. */
  readonly address?: string | undefined;
  readonly port: number;
  /** What the app may be called by in a rule: its id, the name of its program, its full path. */
  readonly apps: readonly string[];
  /** Name of the process, once it is known; null when it could not be found. */
  readonly process?: string | null | undefined;
  /** Id of the lane's profile; missing for one that was given on the command line. */
  readonly profile?: string | undefined;
}

export interface Verdict {
  readonly action: ActionKind;
  /** The other profile, where the action is `profile`. */
  readonly profile?: string;
  /** Id of the rule that decided; missing where none matched. */
  readonly rule?: string;
}
