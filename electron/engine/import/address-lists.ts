/**
 * Lists of addresses as graftcp has them: one address or range a line, `#` begins a comment.
 *
 *   direct-list (its black list)   these go out directly, all else through the proxy. Names are resolved at the
 *                                  proxy and so never match: more goes through the proxy than with graftcp, not less
 *   proxy-list (its white list)    only these go through the proxy. The profile's action becomes direct, and its
 *                                  names are resolved by the host, or an address of the list that is asked for by
 *                                  its name would leave directly
 */
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Rule } from '#shared/profile.ts';
import { readRange } from './addresses.ts';
import type { ImportLine } from './line.ts';
import { Draft, type ProfileChanges } from './result.ts';
import { linesOf } from './text.ts';

export type ListKind = 'direct-list' | 'proxy-list';

export interface ListRules {
  readonly rules: Rule[];
  readonly changes: ProfileChanges;
  readonly lines: ImportLine[];
}

/** Makes a list's rules for the profile; without any address there is no rule and no change. */
export function listRules(text: string, kind: ListKind, profileId: string): ListRules {
  const draft = new Draft(kind);
  const to: string[] = [];
  const seen = new Map<string, number>();
  for (const line of linesOf(text, ['#'])) {
    const written = line.text.split('#', 1)[0]?.trim() ?? '';
    const range = readRange(written);
    const first = range.ok ? seen.get(range.value) : undefined;
    if (!range.ok) draft.say(line.number, 'invalid', phrase('import.unread-address'), range.reason);
    else if (first !== undefined)
      draft.say(line.number, 'skipped', written, phrase('import.same-as-line', { line: first }));
    else {
      seen.set(range.value, line.number);
      to.push(range.value);
      draft.say(line.number, 'taken', range.value);
    }
  }
  if (to.length === 0) return { rules: [], changes: { profile: profileId }, lines: draft.finish().lines };
  const action = kind === 'direct-list' ? 'direct' : 'proxy';
  draft.addRule({ name: kind, match: { to, profiles: [profileId] }, action });
  draft.say(0, 'note', kind, differences[kind]);
  const changes: ProfileChanges =
    kind === 'direct-list'
      ? { profile: profileId }
      : { profile: profileId, action: 'direct', dns: { mode: 'host' } };
  return { rules: draft.rules, changes, lines: draft.finish().lines };
}

const differences: Readonly<Record<ListKind, Phrase>> = {
  'direct-list': phrase('import.direct-list-note'),
  'proxy-list': phrase('import.proxy-list-note'),
};
