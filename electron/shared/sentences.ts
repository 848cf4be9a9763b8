/** The one place that knows what to say of each failure, by theme. A code without a sentence does not compile. */
import type { FailureCode } from './failure.ts';
import { apps } from './sentences/apps.ts';
import { configuration } from './sentences/configuration.ts';
import { connections } from './sentences/connections.ts';
import { engine } from './sentences/engine.ts';
import { isolation } from './sentences/isolation.ts';
import { permission } from './sentences/permission.ts';
import { proxies } from './sentences/proxies.ts';
import type { Sentence } from './sentences/sentence.ts';

export type { Sentence } from './sentences/sentence.ts';

export const sentences: Readonly<Record<FailureCode, Sentence>> = {
  ...isolation,
  ...permission,
  ...engine,
  ...proxies,
  ...connections,
  ...configuration,
  ...apps,
};
