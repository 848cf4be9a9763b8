/** The apps that were opened lately. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecentApps } from '../../electron/main/recent-apps.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-recent-'));
  path = join(dir, 'recent.json');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function open(recent: RecentApps, app: string): void {
  recent.opened(app, [`lane of ${app}`]);
  recent.update([{ id: `lane of ${app}`, name: app.toUpperCase() }]);
}

test('the newest comes first, each once, five at most, and the next start knows them', () => {
  const recent = new RecentApps(path);
  for (const app of ['a', 'b', 'c', 'd', 'e', 'f', 'b']) open(recent, app);
  const wanted = ['b', 'f', 'e', 'd', 'c'].map((app) => ({ app, name: app.toUpperCase() }));
  expect(recent.now).toEqual(wanted);
  expect(new RecentApps(path).now).toEqual(wanted);
});

test('what somebody else started is not what the user opened', () => {
  const recent = new RecentApps(path);
  recent.update([{ id: '7-1', name: 'curl' }]);
  recent.opened('a', ['7-2']);
  expect(recent.now).toEqual([]);
  recent.update([{ id: '7-2', name: 'A' }]);
  expect(recent.now).toEqual([{ app: 'a', name: 'A' }]);
});

test('a file that makes no sense, and a place that cannot be written, cost the list and no more', () => {
  writeFileSync(path, '{"apps":[{"app":""}]}');
  expect(new RecentApps(path).now).toEqual([]);
  const recent = new RecentApps(join(path, 'below-a-file.json'));
  open(recent, 'a');
  expect(recent.now).toEqual([{ app: 'a', name: 'A' }]);
});
