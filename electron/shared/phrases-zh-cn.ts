/** What engines say, in Simplified Chinese. A phrase without its Chinese does not compile. */
import type { PhraseBook } from './phrase.ts';
import { apps } from './phrases-zh-cn/apps.ts';
import { checks } from './phrases-zh-cn/checks.ts';
import { connections } from './phrases-zh-cn/connections.ts';
import { doctor } from './phrases-zh-cn/doctor.ts';
import { helpers } from './phrases-zh-cn/helpers.ts';
import { lanes } from './phrases-zh-cn/lanes.ts';
import { proxies } from './phrases-zh-cn/proxies.ts';
import { tests } from './phrases-zh-cn/tests.ts';
import { sentencesInChinese } from './sentences-zh-cn.ts';

/** How phrases and failures are said in Chinese. */
export const chinesePhrases: PhraseBook = {
  templates: {
    ...helpers,
    ...lanes,
    ...tests,
    ...checks,
    ...connections,
    ...proxies,
    ...doctor,
    ...apps,
  },
  sentences: sentencesInChinese,
  list: (items) => items.join('、'),
  clauses: (items) => items.join('；'),
  short: (what, why) => `${what}：${why}`,
  whole: ({ what, why, todo }, step, detail) => {
    const where = step === undefined ? '' : `（${step}）`;
    const words = detail === undefined ? '' : `（${detail}）`;
    return `${what}${where}。${why}${words}。${todo}。`;
  },
};
