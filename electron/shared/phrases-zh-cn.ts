/** What engines say, in Simplified Chinese. A phrase without its Chinese does not compile. */
import type { PhraseBook } from './phrase.ts';
import { addresses } from './phrases-zh-cn/addresses.ts';
import { apps } from './phrases-zh-cn/apps.ts';
import { checks } from './phrases-zh-cn/checks.ts';
import { clash } from './phrases-zh-cn/clash.ts';
import { configuration } from './phrases-zh-cn/configuration.ts';
import { connections } from './phrases-zh-cn/connections.ts';
import { doctor } from './phrases-zh-cn/doctor.ts';
import { helpers } from './phrases-zh-cn/helper.ts';
import { importRefusals } from './phrases-zh-cn/import-refusals.ts';
import { imports } from './phrases-zh-cn/imports.ts';
import { lanes } from './phrases-zh-cn/lanes.ts';
import { passwords } from './phrases-zh-cn/passwords.ts';
import { proxies } from './phrases-zh-cn/proxies.ts';
import { proxifier } from './phrases-zh-cn/proxifier.ts';
import { proxyTexts } from './phrases-zh-cn/proxy-texts.ts';
import { proxychains } from './phrases-zh-cn/proxychains.ts';
import { queries } from './phrases-zh-cn/queries.ts';
import { ruleEntries } from './phrases-zh-cn/rule-entries.ts';
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
    ...addresses,
    ...proxyTexts,
    ...imports,
    ...importRefusals,
    ...clash,
    ...proxifier,
    ...proxychains,
    ...ruleEntries,
    ...configuration,
    ...queries,
    ...passwords,
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
