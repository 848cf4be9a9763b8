/** What is ours to say, as it goes over a border: its English, and the phrase beside it. */
import { inEnglish, type Phrase, type Said } from '#shared/phrase.ts';

export function detailOf(said: Said): { readonly detail: string; readonly phrase?: Phrase } {
  return { detail: inEnglish(said), ...(typeof said === 'object' ? { phrase: said } : {}) };
}
