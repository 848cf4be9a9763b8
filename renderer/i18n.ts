/** The languages of the window. Messages are compiled by the build: the page's policy forbids doing it here. */
import { createI18n } from 'vue-i18n';
import { languages, type Language } from '#shared/contract.ts';
import type { FailureCode } from '#shared/failure.ts';
import {
  detailIn,
  englishPhrases,
  sayIn,
  type FailureWords,
  type Phrase,
  type PhraseBook,
} from '#shared/phrase.ts';
import { chinesePhrases } from '#shared/phrases-zh-cn.ts';
import type { Sentence } from '#shared/sentences.ts';
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

const books: Record<Language, PhraseBook> = { en: englishPhrases, 'zh-CN': chinesePhrases };

function bookOf(locale: string): PhraseBook {
  return books[languages.find((known) => known === locale) ?? 'en'];
}

/** What, why and what to do, in a language of the window. */
export function sentenceIn(locale: string, code: FailureCode): Sentence {
  return bookOf(locale).sentences[code];
}

/** What an engine said, in a language of the window; undefined where this version does not know the phrase. */
export function saidIn(locale: string, phrase: Phrase | undefined): string | undefined {
  return phrase === undefined ? undefined : sayIn(bookOf(locale), phrase);
}

/** The figures of a failure, or the system's words. */
export function detailOf(locale: string, failure: FailureWords): string | undefined {
  return detailIn(bookOf(locale), failure);
}
