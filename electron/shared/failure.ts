/**
 * Every way in which Culvert can fail. Inside a room code throws; at a border an error becomes a `Failure`
 * with a code of the closed list below. The sentences are in sentences.ts.
 */
import { inEnglish, type Phrase, type Said } from './phrase.ts';
import { sentences, type Sentence } from './sentences.ts';

export const failureCodes = [
  'internal',
  'bad-message',
  'version-mismatch',
  'userns-forbidden',
  'namespace-forbidden',
  'tool-missing',
  'nft-failed',
  'ip-failed',
  'sysctl-failed',
  'lane-check-failed',
  'lane-unknown',
  'lane-quota',
  'descriptor-failed',
  'helper-start-failed',
  'helper-timeout',
  'helper-lost',
  'helper-refused',
  'helper-untrusted',
  'pkexec-dismissed',
  'pkexec-refused',
  'pkexec-no-agent',
  'pkexec-missing',
  'no-new-privs',
  'sudo-refused',
  'no-way-to-root',
  'identity-refused',
  'launch-failed',
  'command-not-found',
  'command-not-executable',
  'nested-lane',
  'runtime-dir-unsafe',
  'native-missing',
  'engine-unreachable',
  'window-unavailable',
  'engine-limit',
  'peer-refused',
  'proxy-url-invalid',
  'option-invalid',
  'proxy-unreachable',
  'proxy-timeout',
  'proxy-sign-in-refused',
  'proxy-refused',
  'proxy-protocol-error',
  'proxy-closed',
  'host-name-invalid',
  'destination-blocked',
  'destination-unreachable',
  'fake-address-unmapped',
  'udp-not-offered',
  'dns-failed',
  'profile-unknown',
  'profile-missing',
  'profile-in-use',
  'app-unknown',
  'rule-unknown',
  'config-invalid',
  'config-newer',
  'config-unwritable',
  'config-locked',
  'file-unwritable',
  'rule-invalid',
  'undo-outdated',
  'query-invalid',
  'import-invalid',
  'chain-empty',
  'chain-exhausted',
  'certificate-refused',
  'egress-missing',
  'host-port-taken',
  'secrets-unavailable',
  'secret-unreadable',
  'probe-unreachable',
  'leak-found',
  'blocked-by-rule',
  'blocked-by-profile',
  'entry-invalid',
  'app-refused',
  'app-untrusted',
  'app-ambiguous',
  'app-running-outside',
  'app-failed',
  'terminal-missing',
  'launcher-unknown',
  'launcher-impossible',
  'history-unwritable',
  'history-unreadable',
] as const;

export type FailureCode = (typeof failureCodes)[number];

/** A failure as it crosses a border. `step` names where it happened, `detail` the figures or the system's words. */
export interface Failure {
  readonly code: FailureCode;
  readonly step?: string;
  readonly detail?: string;
  /** The detail, where it is ours to say in another language. */
  readonly phrase?: Phrase;
}

/** The answer of every call that crosses a border. */
export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/**
 * The one sentence for a failure, in the order what, why, what to do.
 * With a detail the system's own words follow the reason.
 */
export function describe(failure: Failure): string {
  return inEnglish({ whole: failure });
}

/** A failure whose detail is ours to say. */
export function failureSaying(code: FailureCode, phrase: Phrase): Failure {
  return { code, detail: inEnglish(phrase), phrase };
}

/** The parts of the sentence, for places that show them apart. */
export function sentenceOf(code: FailureCode): Sentence {
  return sentences[code];
}

interface FailureOptions {
  readonly step?: string | undefined;
  /** A phrase where it is ours to say. */
  readonly detail?: Said | undefined;
  readonly phrase?: Phrase | undefined;
  readonly cause?: unknown;
}

/** An error that carries a failure to the next border. */
export class CulvertError extends Error {
  readonly failure: Failure;

  constructor(code: FailureCode, options: FailureOptions = {}) {
    const { step, detail } = options;
    const phrase = typeof detail === 'object' ? detail : options.phrase;
    const failure: Failure = {
      code,
      ...(step === undefined ? {} : { step }),
      ...(detail === undefined ? {} : { detail: inEnglish(detail) }),
      ...(phrase === undefined ? {} : { phrase }),
    };
    super(describe(failure), options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'CulvertError';
    this.failure = failure;
  }
}

/** Turns anything thrown into a failure; what is not ours becomes `internal` with its message. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CulvertError) return error.failure;
  return { code: 'internal', detail: error instanceof Error ? error.message : String(error) };
}
