/**
 * What it means when a way to a helper ends before the helper has dialled back: plain functions over the exit
 * status and the words of the program that was started.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { failureCodes, type Failure } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';

/** What an early exit of pkexec means (pkexec(1), RETURN VALUE). */
export function pkexecRefusal(code: number | null, words: string): Failure {
  const own = reported(words);
  if (own !== undefined) return own;
  // The end of input ends its own question by a signal.
  if (code === 126 || (code === null && words.includes('unexpected EOF')))
    return { code: 'pkexec-dismissed' };
  // Its own question registers as root, so that the answer of the user finds none ("No session for cookie").
  if (code === 127 && /authentication agent|getting authority|no session for cookie/i.test(words))
    return { code: 'pkexec-no-agent' };
  if (code === 127) return { code: 'pkexec-refused', detail: oneLine(words) };
  return startFailure(code, words);
}

const reportedFailure = v.object({
  code: v.picklist(failureCodes),
  step: v.optional(v.string()),
  detail: v.optional(v.string()),
});

/** The failure that the helper itself wrote as the last line of its stderr, if it did. */
export function reported(words: string): Failure | undefined {
  const line = words.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = v.safeParse(reportedFailure, JSON.parse(line));
    if (!parsed.success) return undefined;
    const { code, step, detail } = parsed.output;
    return { code, ...(step === undefined ? {} : { step }), ...(detail === undefined ? {} : { detail }) };
  } catch {
    // Not our line after all: the caller has another reading of the words.
    return undefined;
  }
}

export function startFailure(code: number | null, words: string): Failure {
  return reported(words) ?? { code: 'helper-start-failed', detail: oneLine(words) || `exit ${String(code)}` };
}

/** Switches of the kernel that can forbid user namespaces: below /proc/sys, the value that does, one that does not. */
const switches = [
  ['kernel/unprivileged_userns_clone', '0', '1'],
  ['kernel/apparmor_restrict_unprivileged_userns', '1', '0'],
  ['user/max_user_namespaces', '0', '15000'],
] as const;

export interface ClosedSwitch {
  /** As sysctl(8) calls it. */
  readonly name: string;
  readonly value: string;
  readonly allows: string;
}

/** The switch of this system that forbids user namespaces, if one does. */
export function closedSwitch(read = readSysctl): ClosedSwitch | undefined {
  const closed = switches.find(([name, value]) => read(name) === value);
  if (closed === undefined) return undefined;
  return { name: closed[0].replaceAll('/', '.'), value: closed[1], allows: closed[2] };
}

/** Names the switch of this system that forbids user namespaces, and how to turn it. */
export function userNamespaceSwitch(words: string, code: number | null, read = readSysctl): Said {
  const closed = closedSwitch(read);
  if (closed !== undefined) {
    const { name, value, allows } = closed;
    return phrase('doctor.switch', { name, value, allows });
  }
  return oneLine(words) || phrase('doctor.unshare-ended', { code: String(code) });
}

function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    // This kernel does not have the switch.
    return undefined;
  }
}

/** Whether this process can gain no privileges any more, so that pkexec and sudo must fail (prctl(2)). */
export function hasNoNewPrivs(status = readFileSync('/proc/self/status', 'utf8')): boolean {
  return /^NoNewPrivs:\s*1$/m.test(status);
}

/** The last line of what a program said. */
export function oneLine(words: string): string {
  return words.trim().split('\n').at(-1)?.trim() ?? '';
}
