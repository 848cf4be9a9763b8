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

/** The exit status of every other verb. */
export function exitOfVerb(code: FailureCode): VerbExit {
  switch (code) {
    case 'proxy-url-invalid':
    case 'option-invalid':
    case 'rule-invalid':
    case 'query-invalid':
    case 'import-invalid':
      return verbExit.usage;
    case 'lane-unknown':
    case 'profile-unknown':
    case 'app-unknown':
    case 'app-ambiguous':
    case 'launcher-unknown':
    case 'rule-unknown':
      return verbExit.unknown;
    case 'app-running-outside':
      return verbExit.runningOutside;
    case 'leak-found':
      return verbExit.leakFound;
    case 'chain-exhausted':
    case 'certificate-refused':
    case 'proxy-unreachable':
    case 'proxy-timeout':
    case 'proxy-sign-in-refused':
    case 'proxy-refused':
    case 'proxy-protocol-error':
    case 'proxy-closed':
      return verbExit.proxyUnreachable;
    case 'userns-forbidden':
    case 'namespace-forbidden':
    case 'tool-missing':
    case 'nft-failed':
    case 'ip-failed':
    case 'sysctl-failed':
    case 'lane-check-failed':
    case 'lane-quota':
    case 'descriptor-failed':
    case 'helper-start-failed':
    case 'helper-timeout':
    case 'helper-lost':
    case 'helper-refused':
    case 'pkexec-dismissed':
    case 'pkexec-refused':
    case 'pkexec-no-agent':
    case 'pkexec-missing':
    case 'no-new-privs':
    case 'sudo-refused':
    case 'no-way-to-root':
    case 'identity-refused':
    case 'nested-lane':
    case 'native-missing':
      return verbExit.isolationUnavailable;
    case 'engine-unreachable':
      return verbExit.engineNotRunning;
    case 'internal':
    case 'bad-message':
    case 'version-mismatch':
    case 'launch-failed':
    case 'command-not-found':
    case 'command-not-executable':
    case 'runtime-dir-unsafe':
    case 'engine-limit':
    case 'peer-refused':
    case 'host-name-invalid':
    case 'destination-unreachable':
    case 'destination-blocked':
    case 'fake-address-unmapped':
    case 'udp-not-offered':
    case 'dns-failed':
    case 'config-invalid':
    case 'config-newer':
    case 'config-unwritable':
    case 'config-locked':
    case 'chain-empty':
    case 'egress-missing':
    case 'host-port-taken':
    case 'secrets-unavailable':
    case 'secret-unreadable':
    case 'profile-in-use':
    case 'probe-unreachable':
    case 'blocked-by-rule':
    case 'blocked-by-profile':
    case 'entry-invalid':
    case 'app-refused':
    case 'app-untrusted':
    case 'terminal-missing':
      return verbExit.failed;
  }
}
