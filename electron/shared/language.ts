/** Which of Culvert's languages is taken: by the window and by what Electron's main process says itself. */
import type { Language, Preferences } from './contract.ts';

/** The one chosen, else the first of the desktop's (BCP 47 tags, best first) that there is, else English. */
export function chooseLanguage(chosen: Preferences['language'], system: readonly string[]): Language {
  if (chosen !== 'system') return chosen;
  for (const tag of system) {
    const { language, script, region } = localeOf(tag)?.maximize() ?? {};
    if (language === 'en') return 'en';
    // Traditional characters are another script; who reads those is better served by the next language.
    if (language === 'zh' && script === 'Hans' && region !== undefined) return 'zh-CN';
  }
  return 'en';
}

/** Undefined for what is no tag, as a desktop without a language calls its own: `c`. */
function localeOf(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
}
