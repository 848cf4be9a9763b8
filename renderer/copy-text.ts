/** Puts text on the clipboard and says so. */
import { call } from './bridge.ts';
import { i18n } from './i18n.ts';
import { useNotices } from './stores/notices.ts';

/** `called` is what is said to be copied, by default the text itself. */
export async function copyText(text: string, called: string = text): Promise<void> {
  const answer = await call('text.copy', { text });
  if (answer.ok) useNotices().tell(i18n.global.t('common.copied', { text: called }));
  else useNotices().fail(answer.failure);
}
