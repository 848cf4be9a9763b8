/** What a user should know of where passwords are, as it goes over a border. */
import { inEnglish, phrase, type Phrase, type PhraseValue } from '#shared/phrase.ts';

/** Nothing where there is nothing to be said. */
export function noticeOf(notices: readonly PhraseValue[]): { notice?: string; noticePhrase?: Phrase } {
  if (notices.length === 0) return {};
  const noticePhrase = phrase('password.notices', { all: { clauses: notices } });
  return { notice: inEnglish(noticePhrase), noticePhrase };
}
