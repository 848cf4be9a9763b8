/** The fields of a rule as they are typed, and the rule that they stand for. Plain functions. */
import type { ActionKind, RuleMatch } from '#shared/profile.ts';
import type { RuleDraft } from '#shared/rule-protocol.ts';
import type { ShownRule } from './rule-text.ts';

/** Lists are texts with an entry a line, or several with commas between them. */
export interface RuleForm {
  apps: string;
  to: string;
  ports: string;
  processes: string;
  protocol: 'any' | 'tcp' | 'udp';
  profiles: string[];
  action: ActionKind;
  profile: string;
  note: string;
}

/** Where a new rule is put: `beside` is behind the one that it is a copy of. */
export type RulePlace = 'first' | 'beside' | 'last';

/** The form of a rule that is there, or was begun elsewhere. */
export function formOf(rule: ShownRule & { readonly note?: string | undefined }): RuleForm {
  const { match, action, profile = '', note = '' } = rule;
  const text = (list: readonly string[] | undefined) => (list ?? []).join(', ');
  return {
    apps: text(match.apps),
    to: text(match.to),
    ports: text(match.ports),
    processes: text(match.processes),
    protocol: match.protocol ?? 'any',
    profiles: [...(match.profiles ?? [])],
    ...{ action, profile, note },
  };
}

/** The rule that a form stands for, right or not; fields without an entry are conditions that it does not have. */
export function draftOf(form: RuleForm): RuleDraft {
  const lists = {
    apps: entriesOf(form.apps),
    processes: entriesOf(form.processes),
    to: entriesOf(form.to),
    ports: entriesOf(form.ports),
    profiles: form.profiles,
  };
  const match: RuleMatch = Object.fromEntries(
    Object.entries(lists).filter(([, entries]) => entries.length > 0),
  );
  const note = form.note.trim();
  return {
    ...(note === '' ? {} : { note }),
    match: form.protocol === 'any' ? match : { ...match, protocol: form.protocol },
    action: form.action,
    ...(form.action === 'profile' && form.profile !== '' ? { profile: form.profile } : {}),
  };
}

/** What is between commas and ends of lines; not those within an expression (`/a{1,3}/`). */
export function entriesOf(text: string): string[] {
  const found = text.match(/\s*(?:\/(?:\\.|[^\\/\n])+\/(?=\s*(?:[,，、\n]|$))|[^,，、\n]+)/g) ?? [];
  return found.map((entry) => entry.trim()).filter((entry) => entry !== '');
}

/** The text with its last entry, which is being typed, replaced by a whole one. */
export function withLastEntry(text: string, entry: string): string {
  const before = text.slice(0, text.length - lastEntry(text).length);
  return `${before}${entry}, `;
}

/** The entry that is being typed at the end of a text; empty behind a comma. */
export function lastEntry(text: string): string {
  return /[^,，、\n]*$/.exec(text)?.[0].trimStart() ?? '';
}
