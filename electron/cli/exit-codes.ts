/**
 * The numbers that `culvert` ends with, and which failure gives which.
 *
 * `run` gives the command's own number, or one of `runExit` as env(1), nohup(1) and timeout(1) do;
 * the other verbs give one of `verbExit`.
 */
import type { FailureCode } from '#shared/failure.ts';

export const runExit = { culvertFailed: 125, notExecutable: 126, notFound: 127 } as const;

export const verbExit = {
  ok: 0,
  failed: 1,
  usage: 2,
  unknown: 3,
  proxyUnreachable: 4,
  isolationUnavailable: 5,
  engineNotRunning: 6,
  leakFound: 7,
  runningOutside: 8,
} as const;
export type VerbExit = (typeof verbExit)[keyof typeof verbExit];

/** The exit status of `culvert run` when the command never ran. Mistakes in our own options are usage errors. */
export function exitOfRun(code: FailureCode): number {
  switch (code) {
    case 'command-not-found':
      return runExit.notFound;
    case 'command-not-executable':
      return runExit.notExecutable;
    case 'proxy-url-invalid':
    case 'option-invalid':
    case 'import-invalid':
      return verbExit.usage;
    default:
      return runExit.culvertFailed;
  }
}

/** Beside each failure what a verb ends with; one without does not compile. */
const exits: Record<FailureCode, VerbExit> = {
  'proxy-url-invalid': verbExit.usage,
  'option-invalid': verbExit.usage,
  'rule-invalid': verbExit.usage,
  'query-invalid': verbExit.usage,
  'import-invalid': verbExit.usage,
  'lane-unknown': verbExit.unknown,
  'profile-unknown': verbExit.unknown,
  'profile-missing': verbExit.unknown,
  'app-unknown': verbExit.unknown,
  'app-ambiguous': verbExit.unknown,
  'launcher-unknown': verbExit.unknown,
  'rule-unknown': verbExit.unknown,
  'app-running-outside': verbExit.runningOutside,
  'leak-found': verbExit.leakFound,
  'chain-exhausted': verbExit.proxyUnreachable,
  'certificate-refused': verbExit.proxyUnreachable,
  'proxy-unreachable': verbExit.proxyUnreachable,
  'proxy-timeout': verbExit.proxyUnreachable,
  'proxy-sign-in-refused': verbExit.proxyUnreachable,
  'proxy-refused': verbExit.proxyUnreachable,
  'proxy-protocol-error': verbExit.proxyUnreachable,
  'proxy-closed': verbExit.proxyUnreachable,
  'userns-forbidden': verbExit.isolationUnavailable,
  'namespace-forbidden': verbExit.isolationUnavailable,
  'tool-missing': verbExit.isolationUnavailable,
  'nft-failed': verbExit.isolationUnavailable,
  'ip-failed': verbExit.isolationUnavailable,
  'sysctl-failed': verbExit.isolationUnavailable,
  'lane-check-failed': verbExit.isolationUnavailable,
  'lane-quota': verbExit.isolationUnavailable,
  'descriptor-failed': verbExit.isolationUnavailable,
  'helper-start-failed': verbExit.isolationUnavailable,
  'helper-timeout': verbExit.isolationUnavailable,
  'helper-lost': verbExit.isolationUnavailable,
  'helper-refused': verbExit.isolationUnavailable,
  'helper-untrusted': verbExit.isolationUnavailable,
  'pkexec-dismissed': verbExit.isolationUnavailable,
  'pkexec-refused': verbExit.isolationUnavailable,
  'pkexec-no-agent': verbExit.isolationUnavailable,
  'pkexec-missing': verbExit.isolationUnavailable,
  'no-new-privs': verbExit.isolationUnavailable,
  'sudo-refused': verbExit.isolationUnavailable,
  'no-way-to-root': verbExit.isolationUnavailable,
  'identity-refused': verbExit.isolationUnavailable,
  'nested-lane': verbExit.isolationUnavailable,
  'native-missing': verbExit.isolationUnavailable,
  'window-unavailable': verbExit.failed,
  'engine-unreachable': verbExit.engineNotRunning,
  internal: verbExit.failed,
  'bad-message': verbExit.failed,
  'version-mismatch': verbExit.failed,
  'launch-failed': verbExit.failed,
  'command-not-found': verbExit.failed,
  'command-not-executable': verbExit.failed,
  'runtime-dir-unsafe': verbExit.failed,
  'engine-limit': verbExit.failed,
  'peer-refused': verbExit.failed,
  'host-name-invalid': verbExit.failed,
  'destination-unreachable': verbExit.failed,
  'destination-blocked': verbExit.failed,
  'fake-address-unmapped': verbExit.failed,
  'udp-not-offered': verbExit.failed,
  'dns-failed': verbExit.failed,
  'undo-outdated': verbExit.failed,
  'config-invalid': verbExit.failed,
  'config-newer': verbExit.failed,
  'config-unwritable': verbExit.failed,
  'config-locked': verbExit.failed,
  'file-unwritable': verbExit.failed,
  'chain-empty': verbExit.failed,
  'egress-missing': verbExit.failed,
  'host-port-taken': verbExit.failed,
  'secrets-unavailable': verbExit.failed,
  'secret-unreadable': verbExit.failed,
  'profile-in-use': verbExit.failed,
  'probe-unreachable': verbExit.failed,
  'blocked-by-rule': verbExit.failed,
  'blocked-by-profile': verbExit.failed,
  'entry-invalid': verbExit.failed,
  'launcher-impossible': verbExit.failed,
  'app-refused': verbExit.failed,
  'app-untrusted': verbExit.failed,
  'app-failed': verbExit.failed,
  'terminal-missing': verbExit.failed,
  'history-unwritable': verbExit.failed,
  'history-unreadable': verbExit.failed,
};

/** The exit status of every other verb. */
export function exitOfVerb(code: FailureCode): VerbExit {
  return exits[code];
}
