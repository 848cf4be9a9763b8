/** The words of main by language. */
import type { Language } from '#shared/contract.ts';
import { english } from './en.ts';
import type { Words } from './words.ts';
import { chinese } from './zh-cn.ts';

export const wordsIn: Readonly<Record<Language, Words>> = { en: english, 'zh-CN': chinese };
