/** What to say of each failure in Simplified Chinese. A code without a sentence does not compile. */
import type { FailureCode } from './failure.ts';
import type { Sentence } from './sentences.ts';
import { apps } from './sentences-zh-cn/apps.ts';
import { configuration } from './sentences-zh-cn/configuration.ts';
import { connections } from './sentences-zh-cn/connections.ts';
import { engine } from './sentences-zh-cn/engine.ts';
import { isolation } from './sentences-zh-cn/isolation.ts';
import { permission } from './sentences-zh-cn/permission.ts';
import { proxies } from './sentences-zh-cn/proxies.ts';

export const sentencesInChinese: Readonly<Record<FailureCode, Sentence>> = {
  ...isolation,
  ...permission,
  ...engine,
  ...proxies,
  ...connections,
  ...configuration,
  ...apps,
};
