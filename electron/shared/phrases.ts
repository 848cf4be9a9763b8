/** All that engines say with values, in English, by theme. */
import { apps } from './phrases/apps.ts';
import { checks } from './phrases/checks.ts';
import { connections } from './phrases/connections.ts';
import { doctor } from './phrases/doctor.ts';
import { helpers } from './phrases/helpers.ts';
import { lanes } from './phrases/lanes.ts';
import { proxies } from './phrases/proxies.ts';
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
} as const satisfies Templates;
