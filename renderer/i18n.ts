/** The languages of the window. Messages are compiled by the build: the page's policy forbids doing it here. */
import { createI18n } from 'vue-i18n';
import { languages, type Language, type Preferences } from '#shared/contract.ts';
import type { FailureCode } from '#shared/failure.ts';
import { sentences, type Sentence } from '#shared/sentences.ts';
import en from './locales/en.json';
import { sentencesInChinese } from './locales/sentences-zh-cn.ts';
import zhCN from './locales/zh-CN.json';

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en, 'zh-CN': zhCN },
});

const sentencesIn: Record<Language, Record<FailureCode, Sentence>> = {
  en: sentences,
  'zh-CN': sentencesInChinese,
};

/** The language to take: the one chosen, else the first of the desktop's that there is, else English. */
export function chooseLanguage(chosen: Preferences['language'], system: readonly string[]): Language {
  if (chosen !== 'system') return chosen;
  for (const tag of system) {
    const { language, script, region } = new Intl.Locale(tag).maximize();
    if (language === 'en') return 'en';
    // Traditional characters are another script; who reads those is better served by the next language.
    if (language === 'zh' && script === 'Hans' && region !== undefined) return 'zh-CN';
  }
  return 'en';
}

/** What, why and what to do, in a language of the window. */
export function sentenceIn(locale: string, code: FailureCode): Sentence {
  const language = languages.find((known) => known === locale) ?? 'en';
  return sentencesIn[language][code];
}
