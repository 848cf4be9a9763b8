/** A window that nobody sees: it is told of no bytes, and is right about everything at the moment it is shown again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WindowApi } from '../../electron/shared/contract.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;

beforeAll(async () => {
  desktop = owned.use(await Desktop.create());
  proxy = owned.use(await desktop.world.proxy('microsocks'));
  window = owned.use(await desktop.open());
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const run = (name: string, script: string) =>
  desktop.product.spawn(['bash', '-c', `${script} # ${name}`], { proxy: proxy.url });
const card = (name: string) =>
  window.page
    .getByRole('listitem')
    .filter({ hasText: `# ${name}` })
    .first();
const turn = (way: 'show' | 'hide') =>
  window.inMain(({ BrowserWindow }, how) => {
    BrowserWindow.getAllWindows()[0]?.[how]();
  }, way);

/** Counts what the page is told, as it comes. */
const count = () =>
  window.page.evaluate(() => {
    const { culvert, heard } = globalThis as never as { culvert: WindowApi; heard?: Record<string, number> };
    if (heard !== undefined) return { ...heard };
    const counts: Record<string, number> = { traffic: 0, pastTraffic: 0 };
    (globalThis as never as { heard: Record<string, number> }).heard = counts;
    for (const name of ['traffic', 'pastTraffic'] as const)
      culvert.events[name](() => (counts[name] = (counts[name] ?? 0) + 1));
    return counts;
  });

test('hears nothing of bytes, and has the whole minute when it is seen again', async () => {
  const steady = run('steady', 'sleep 1000');
  const loader = run('loader', 'read && curl -s http://example.test/bytes/3000000 | wc -c; sleep 1000');
  await card('loader').getByText('Protected').waitFor();
  await count();
  await until('to be told', async () => ((await count())['traffic'] ?? 0) > 1);
  const spark = card('loader').getByRole('img', { name: /^Last minute: highest/ });
  expect(await spark.getAttribute('aria-label')).not.toContain('MB/s');
  await turn('hide');
  await until('the window to be hidden', async () => !(await window.isVisible()));
  loader.write('\n');
  await loader.says(/^3000000$/m);
  const before = await count();
  // Two beats of the engine after all has come; that nothing is told can only be seen by waiting.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect((await count())['traffic']).toBe(before['traffic']);
  steady.kill();
  await steady.ended;
  await turn('show');
  await card('steady').waitFor({ state: 'detached', timeout: 1000 });
  await until(
    'the bytes of the time that nobody looked',
    async () => (await spark.getAttribute('aria-label'))?.includes('MB/s'),
    1000,
  );
  const after = await count();
  await until('to be told again', async () => ((await count())['traffic'] ?? 0) > (after['traffic'] ?? 0));
  loader.kill();
  await loader.ended;
});

test('says at once that an engine is silent which fell silent while nobody looked', async () => {
  const app = run('sleeper', 'sleep 1000');
  await card('sleeper').getByText('Protected').waitFor();
  await turn('hide');
  process.kill(app.pid, 'SIGSTOP');
  await turn('show');
  await card('sleeper').getByText('Not answering').waitFor({ timeout: 1500 });
  process.kill(app.pid, 'SIGCONT');
  await card('sleeper').getByText('Protected').waitFor();
  app.kill();
  await app.ended;
  expect(window.complaints).toEqual([]);
});
