/** A rule in words of the user's language. Plain functions; `ruleSentence` of the engine is for terminals. */
import type { Rule } from '#shared/profile.ts';
import type { RuleDraft } from '#shared/rule-protocol.ts';

/** How a component says things, so that it follows the language. */
export interface RuleWords {
  readonly t: (key: string, slots?: Record<string, unknown>) => string;
  readonly locale: string;
  /** What people call an app; its id where there is nothing better. */
  readonly appName: (app: string) => string;
  readonly profileName: (profile: string) => string;
}

/** A word or two, and what is to stand out after it. */
export interface RulePart {
  readonly lead: string;
  readonly strong: string;
}

export interface RuleText {
  readonly match: readonly RulePart[];
  readonly action: string;
}

/** What is shown of a rule, saved or not. */
export type ShownRule = Pick<Rule | RuleDraft, 'match' | 'action' | 'profile'>;

/** How many entries of one list are written out. */
const most = 4;

/** The rule in parts, of which the first is the apps. */
export function ruleText({ match, action, profile }: ShownRule, words: RuleWords): RuleText {
  const { t, appName, profileName } = words;
  const list = (texts: readonly string[] | undefined) =>
    texts === undefined ? undefined : listed(texts, words);
  const parts: { readonly lead: string; readonly strong: string | undefined }[] = [
    { lead: '', strong: list(match.apps?.map(appName)) ?? t('rules.part.anyApp') },
    { lead: t('rules.part.profiles'), strong: list(match.profiles?.map(profileName)) },
    { lead: t('rules.part.processes'), strong: list(match.processes) },
    { lead: t('rules.part.to'), strong: list(match.to) },
    { lead: t('rules.part.ports'), strong: list(match.ports) },
    { lead: t('rules.part.protocol'), strong: match.protocol?.toUpperCase() },
  ];
  return {
    match: parts.flatMap(({ lead, strong }) => (strong === undefined ? [] : [{ lead, strong }])),
    action:
      action === 'profile'
        ? t('rules.part.profile', { name: profile === undefined ? '?' : profileName(profile) })
        : t(`rules.action.${action}`),
  };
}

/** The whole as one text. */
export function ruleLine(rule: ShownRule, words: RuleWords): string {
  const { match, action } = ruleText(rule, words);
  return [
    ...match.flatMap(({ lead, strong }) => (lead === '' ? [strong] : [lead, strong])),
    '→',
    action,
  ].join(' ');
}

function listed(texts: readonly string[], { t, locale }: RuleWords): string {
  if (texts.length === 0) return t('rules.part.nothing');
  const between = locale === 'zh-CN' ? '、' : ', ';
  const rest = texts.length - most;
  // “and 1 more” is no shorter than the one.
  if (rest <= 1) return texts.join(between);
  return t('rules.part.more', { list: texts.slice(0, most).join(between), n: rest });
}
