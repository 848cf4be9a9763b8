/** A rule as the command that adds it, as one would type it. Plain functions. */
import type { RuleDraft } from '#shared/rule-protocol.ts';
import { asShellLine } from './shell-line.ts';

/** Each entry is an option of its own where it has a comma, else a list is one option. */
export function ruleCommand({ match, action, profile, note }: RuleDraft): string {
  const list = (option: string, entries: readonly string[] = []) =>
    entries.some((entry) => entry.includes(',') || entry.startsWith('/'))
      ? entries.flatMap((entry) => [option, entry])
      : entries.length === 0
        ? []
        : [option, entries.join(',')];
  return asShellLine([
    ...['culvert', 'rule', 'add', action === 'profile' ? `profile:${profile ?? ''}` : action],
    ...list('--app', match.apps),
    ...list('--process', match.processes),
    ...list('--to', match.to),
    ...list('--port', match.ports),
    ...(match.protocol === undefined ? [] : ['--protocol', match.protocol]),
    ...list('--profile', match.profiles),
    ...(note === undefined ? [] : ['--note', note]),
  ]);
}
