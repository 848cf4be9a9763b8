import { expect, test } from 'vitest';
import { ConfigFeed } from '../../electron/engine/config-feed.ts';
import type { ConfigView } from '../../electron/shared/app-protocol.ts';
import { until } from '../world/until.ts';
import { Sandbox } from './config/sandbox.ts';

test('whoever has read what was there between two looks of the watch hears that it is gone', async () => {
  using sandbox = new Sandbox();
  const write = (byDefault: string) => {
    sandbox.write(JSON.stringify({ version: 1, defaultProfile: byDefault }));
  };
  write('none');
  const feed = new ConfigFeed(sandbox.store);
  const told: ConfigView[] = [];
  feed.watch((view) => told.push(view));
  write('direct');
  expect(feed.view().config.defaultProfile).toBe('direct');
  write('none');
  await until('the change to be told', () => told.at(-1)?.config.defaultProfile === 'none');
  feed.close();
});
