/** The command line's form of a rule: `--app firefox --to '*.corp.example' --port 443 direct`. */
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { rule as ruleSchema, type Rule } from '#shared/profile.ts';
import { invalid } from './compiled.ts';
import { Rulebook } from './rulebook.ts';

/** Options as they were given; each may hold several entries with commas between them. */
export interface RuleForm {
  readonly app?: readonly string[] | undefined;
  readonly process?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
  readonly port?: readonly string[] | undefined;
  readonly protocol?: string | undefined;
  /** Profiles of the apps that the rule is for. */
  readonly profile?: readonly string[] | undefined;
  readonly note?: string | undefined;
  /** `proxy`, `direct`, `block` or `profile:ID`. */
  readonly action: string;
}

/** Makes a rule of the form, and makes sure that it can be used. Throws `rule-invalid`. */
export function ruleOfForm(form: RuleForm, id: string): Rule {
  const lists = {
    apps: entriesOf(form.app),
    processes: entriesOf(form.process),
    to: entriesOf(form.to),
    ports: entriesOf(form.port),
    profiles: entriesOf(form.profile),
    protocol: form.protocol?.toLowerCase(),
  };
  const parsed = v.safeParse(ruleSchema, {
    id,
    ...(form.note === undefined ? {} : { note: form.note }),
    match: Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined)),
    ...actionOf(form.action, id),
  });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = issue.path?.map(({ key }) => String(key)).filter((key) => key !== 'match');
    throw invalid(id, path?.[0] ?? 'rule', issue.message);
  }
  Rulebook.compile([parsed.output]);
  return parsed.output;
}

/** Reads the words after `culvert rule add`: options and one action, in any order. Throws `rule-invalid`. */
export function parseRule(words: readonly string[], id: string): Rule {
  const { values, positionals } = parseWords(words, id);
  const [action, ...more] = positionals;
  if (action === undefined || more.length > 0) {
    throw invalid(id, 'action', 'one is needed: proxy, direct, block or profile:ID');
  }
  return ruleOfForm(
    { ...values, protocol: onlyOne(values.protocol, id), note: values.note?.join(' '), action },
    id,
  );
}

const option = { type: 'string', multiple: true } as const;
const options = {
  app: option,
  process: option,
  to: option,
  port: option,
  protocol: option,
  profile: option,
  note: option,
};

function parseWords(words: readonly string[], id: string) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new CulvertError('rule-invalid', {
      detail: `${id}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

function onlyOne(protocols: readonly string[] | undefined, id: string): string | undefined {
  if (protocols !== undefined && protocols.length > 1) {
    throw invalid(id, 'protocol', 'is given twice; without it a rule is for both');
  }
  return protocols?.[0];
}

/** Commas part entries, except in what begins with a slash: expressions (`/a{1,3}/`) and paths may have some. */
function entriesOf(values: readonly string[] | undefined): string[] | undefined {
  return values?.flatMap((value) =>
    value.startsWith('/') ? [value] : value.split(',').map((part) => part.trim()),
  );
}

function actionOf(word: string, id: string): { action: string; profile?: string } {
  const [, profile] = /^profile:(.+)$/s.exec(word) ?? [];
  if (profile !== undefined) return { action: 'profile', profile };
  if (!['proxy', 'direct', 'block'].includes(word)) {
    throw invalid(id, 'action', `${JSON.stringify(word)} is none: proxy, direct, block or profile:ID`);
  }
  return { action: word };
}
