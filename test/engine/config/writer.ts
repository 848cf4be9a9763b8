/**
 * A process that changes a configuration: `writer.cjs DIR count NAME TIMES` binds TIMES apps of its own, one update
 * each; `writer.cjs DIR endless` changes it for as long as its parent lives, between a small and a large one; `writer.cjs DIR hold` takes the
 * lock and keeps it; `writer.cjs DIR once` changes it once and tells the failure.
 */
import { ConfigStore, lockName } from '../../../electron/engine/config/store.ts';
import { bindApp } from '../../../electron/engine/config/edit.ts';
import { withLock } from '../../../electron/engine/config/lock.ts';
import { failureOf } from '../../../electron/shared/failure.ts';
import type { Config } from '../../../electron/shared/profile.ts';

const [dir = '', what, name = '', times] = process.argv.slice(2);
const store = ConfigStore.open(dir);

function withRules(config: Config, count: number): Config {
  const rules = Array.from({ length: count }, (_, at) => ({
    id: `r${at}`,
    match: {},
    action: 'block' as const,
  }));
  return { ...config, rules };
}

async function main(): Promise<void> {
  if (what === 'count')
    for (let at = 0; at < Number(times); at += 1)
      await store.update((config) => bindApp(config, `${name}-${at}`, 'none'));
  if (what === 'once') await store.update((config) => withRules(config, 3000));
  if (what === 'hold')
    await withLock(dir, lockName, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });
  if (what === 'endless') {
    console.log('begun');
    const { ppid } = process;
    // A test that was ended itself ends nobody.
    for (let at = 0; process.ppid === ppid; at += 1)
      await store.update((config) => withRules(config, at % 2 === 0 ? 400 : 1));
  }
}

main().catch((error: unknown) => {
  console.log(JSON.stringify(failureOf(error)));
  process.exitCode = 1;
});
