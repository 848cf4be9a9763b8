/** The languages of the window. Messages are compiled by the build: the page's policy forbids doing it here. */
import { createI18n } from 'vue-i18n';
import { languages, type Language } from '#shared/contract.ts';
import type { FailureCode } from '#shared/failure.ts';
import { sentencesInChinese } from '#shared/sentences-zh-cn.ts';
import { sentences, type Sentence } from '#shared/sentences.ts';
import { english } from './locales/en/index.ts';
import { chinese } from './locales/zh-CN/index.ts';

export { chooseLanguage } from '#shared/language.ts';

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en: english, 'zh-CN': chinese },
  // Chinese has one form for all numbers: where there are two, the first one is for none.
  pluralRules: { 'zh-CN': (choice, forms) => Math.min(choice, forms - 1) },
});

const sentencesIn: Record<Language, Record<FailureCode, Sentence>> = {
  en: sentences,
  'zh-CN': sentencesInChinese,
};

/** What, why and what to do, in a language of the window. */
export function sentenceIn(locale: string, code: FailureCode): Sentence {
  const language = languages.find((known) => known === locale) ?? 'en';
  return sentencesIn[language][code];
}
