/** All that engines say with values, in English, by theme. */
import { addresses } from './phrases/addresses.ts';
import { apps } from './phrases/apps.ts';
import { checks } from './phrases/checks.ts';
import { clash } from './phrases/clash.ts';
import { configuration } from './phrases/configuration.ts';
import { connections } from './phrases/connections.ts';
import { doctor } from './phrases/doctor.ts';
import { helpers } from './phrases/helper.ts';
import { importRefusals } from './phrases/import-refusals.ts';
import { imports } from './phrases/imports.ts';
import { lanes } from './phrases/lanes.ts';
import { passwords } from './phrases/passwords.ts';
import { proxies } from './phrases/proxies.ts';
import { proxifier } from './phrases/proxifier.ts';
import { proxyTexts } from './phrases/proxy-texts.ts';
import { proxychains } from './phrases/proxychains.ts';
import { queries } from './phrases/queries.ts';
import { ruleEntries } from './phrases/rule-entries.ts';
import type { Templates } from './phrases/template.ts';
import { tests } from './phrases/tests.ts';

export const phrases = {
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
} as const satisfies Templates;
