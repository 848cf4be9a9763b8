/** The small files of the window: old or new, never half, and never in the way. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKept, writeKept } from '../../electron/main/kept-file.ts';
import { placesOf } from '../../electron/main/places.ts';
import { usualTable } from '../../electron/shared/connection-columns.ts';
import { preferences } from '../../electron/shared/contract.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-kept-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const usual = {
  theme: 'system',
  contrast: 'system',
  motion: 'system',
  language: 'system',
  closeButton: 'hide',
  pinnedApps: [],
  hiddenApps: [],
  connections: usualTable,
  isFirstRunSkipped: false,
};

test('what is written is read again, is the user’s alone, and leaves nothing beside it', () => {
  const path = join(dir, 'deep/er/window.json');
  writeKept(path, { ...usual, theme: 'dark' });
  expect(readKept(path, preferences)).toEqual({ ...usual, theme: 'dark' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dir, 'deep/er'))).toEqual(['window.json']);
});

test.each(['', '{', '[]', 'null', '{"theme":"mauve"}', '{"theme":7}'])(
  'a file that says %j is taken as one that is not there',
  (text) => {
    const path = join(dir, 'window.json');
    writeFileSync(path, text);
    expect(readKept(path, preferences)).toEqual(usual);
  },
);

test('a file that cannot be replaced says so and stays as it was', () => {
  const path = join(dir, 'window.json');
  mkdirSync(path);
  expect(() => {
    writeKept(path, {});
  }).toThrow();
  expect(readdirSync(dir)).toEqual(['window.json']);
});

test('files are where the desktop keeps such files, and relative settings of that are passed over', () => {
  const places = placesOf('/dist', { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: 'relative' });
  expect(places.preferences).toBe('/c/culvert/window.json');
  expect(places.windowState).toMatch(/^\/.*\/\.local\/state\/culvert\/window\.json$/);
  expect(places.product).toBe('/dist');
  expect(placesOf('/p/app.asar/dist', {}, '/p').product).toBe('/p/resources/culvert');
});
