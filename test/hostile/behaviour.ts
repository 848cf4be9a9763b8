/** One way for a proxy to be hostile, broken or merely odd, and what is right to make of it. */
import type { FailureCode } from '#shared/failure.ts';
import type { Conversation } from './conversation.ts';

export interface Behaviour {
  /** Unique; also the name of the test. */
  readonly name: string;
  readonly scheme: 'socks5' | 'socks4' | 'http';
  /** The failure of the flow, or `works`: the app gets its page. */
  readonly expected: FailureCode | 'works';
  /** Where the kernel's timing decides what the client is told: the other right failure. */
  readonly orElse?: FailureCode;
  /** Whether it is to be met with a user name and a password. */
  readonly signIn?: boolean;
  /** Played for each connection; `Gone` ends it quietly. */
  readonly act: (client: Conversation) => Promise<void> | void;
}

/** Whether a failure, or `works`, is right for the behaviour. */
export function isRight({ expected, orElse }: Behaviour, verdict: string): boolean {
  return verdict === expected || verdict === orElse;
}

/** A list with a prefix to each name, so that a name says which protocol it is about. */
export function named(prefix: string, list: readonly Behaviour[]): Behaviour[] {
  return list.map((behaviour) => ({ ...behaviour, name: `${prefix}: ${behaviour.name}` }));
}
